// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of label_loss.hpp on both backends; arguments are already validated.

#include "label_loss/label_loss.hpp"

namespace dsasrgs::cpu {

LabelLossSums label_loss(const Context&, const LabelLossShape&, View<const float> prediction, View<const float> target,
                         View<float> gradient);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

LabelLossSums label_loss(Context&, const LabelLossShape&, View<const float> prediction, View<const float> target,
                         View<float> gradient);

}  // namespace dsasrgs::cuda
