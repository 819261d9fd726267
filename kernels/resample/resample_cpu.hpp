#pragma once
// CPU bodies of resampling; arguments are already validated.

#include "resample/resample.hpp"

namespace dsasrgs::cpu {

void upsample_bicubic(const Context&, const ResampleShape&, View<const float> low, View<float> high);
void pool_average(const Context&, const ResampleShape&, View<const float> high, View<float> low);
void pool_average_adjoint(const Context&, const ResampleShape&, View<const float> low, GradientMode, View<float> high);

}  // namespace dsasrgs::cpu
