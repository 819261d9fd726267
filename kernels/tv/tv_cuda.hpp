#pragma once
// CUDA bodies of the total variation; arguments are already validated.

#include "tv/tv.hpp"
#include "tv/tv_math.hpp"

namespace dsasrgs::cuda {

void total_variation_forward(Context&, const VolumeSize&, View<const float> volume, TotalVariationSaved&);
/// `factor`: weight / D.
void total_variation_backward(Context&, const VolumeSize&, View<const float> volume, float factor, GradientMode,
                              View<float> grad_volume);

}  // namespace dsasrgs::cuda
