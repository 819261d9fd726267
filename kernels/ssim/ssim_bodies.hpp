// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of ssim.hpp on both backends; arguments are already validated.

#include "ssim/ssim.hpp"
#include "ssim/ssim_math.hpp"

namespace dsasrgs::cpu {

void image_loss_forward(const Context&, const ImageLossShape&, const ImageLossInput&, double num_valid,
                        ImageLossSaved&);
void image_loss_backward(const Context&, const ImageLossShape&, const ImageLossInput&, View<const float> derivative,
                         const ImageLossWeights&, GradientMode, View<float> grad_rendered);
void ssim_map(const Context&, const ImageLossShape&, View<const float> a, View<const float> b, View<float> map);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void image_loss_forward(Context&, const ImageLossShape&, const ImageLossInput&, double num_valid, ImageLossSaved&);
void image_loss_backward(Context&, const ImageLossShape&, const ImageLossInput&, View<const float> derivative,
                         const ImageLossWeights&, GradientMode, View<float> grad_rendered);
void ssim_map(Context&, const ImageLossShape&, View<const float> a, View<const float> b, View<float> map);

}  // namespace dsasrgs::cuda
