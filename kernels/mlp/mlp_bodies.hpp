// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of mlp.hpp on both backends; arguments are already validated.

#include "mlp/mlp.hpp"

namespace dsasrgs::cpu {

void mlp_forward(Context&, const MlpInput&, View<float> output);
void mlp_backward(Context&, const MlpInput&, View<const float> grad_output, const MlpGradient&);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void mlp_forward(Context&, const MlpInput&, View<float> output);
void mlp_backward(Context&, const MlpInput&, View<const float> grad_output, const MlpGradient&, MlpScratch&);

}  // namespace dsasrgs::cuda
