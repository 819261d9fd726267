#pragma once
// CUDA bodies of resampling; arguments are already validated.

#include "resample/resample.hpp"

namespace dsasrgs::cuda {

void upsample_bicubic(Context&, const ResampleShape&, View<const float> low, View<float> high);
void pool_average(Context&, const ResampleShape&, View<const float> high, View<float> low);
void pool_average_adjoint(Context&, const ResampleShape&, View<const float> low, GradientMode, View<float> high);

}  // namespace dsasrgs::cuda
