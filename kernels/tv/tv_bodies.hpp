// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of tv.hpp on both backends; arguments are already validated.

#include "tv/tv.hpp"
#include "tv/tv_math.hpp"

namespace dsasrgs::cpu {

void total_variation_forward(const Context&, const VolumeSize&, View<const float> volume, TotalVariationSaved&);
/// `factor`: weight / D.
void total_variation_backward(const Context&, const VolumeSize&, View<const float> volume, float factor, GradientMode,
                              View<float> grad_volume);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void total_variation_forward(Context&, const VolumeSize&, View<const float> volume, TotalVariationSaved&);
/// `factor`: weight / D.
void total_variation_backward(Context&, const VolumeSize&, View<const float> volume, float factor, GradientMode,
                              View<float> grad_volume);

}  // namespace dsasrgs::cuda
