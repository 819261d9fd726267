// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of resample.hpp on both backends; arguments are already validated.

#include "resample/resample.hpp"

namespace dsasrgs::cpu {

void upsample_bicubic(const Context&, const ResampleShape&, View<const float> low, View<float> high);
void pool_average(const Context&, const ResampleShape&, View<const float> high, View<float> low);
void pool_average_adjoint(const Context&, const ResampleShape&, View<const float> low, GradientMode, View<float> high);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void upsample_bicubic(Context&, const ResampleShape&, View<const float> low, View<float> high);
void pool_average(Context&, const ResampleShape&, View<const float> high, View<float> low);
void pool_average_adjoint(Context&, const ResampleShape&, View<const float> low, GradientMode, View<float> high);

}  // namespace dsasrgs::cuda
