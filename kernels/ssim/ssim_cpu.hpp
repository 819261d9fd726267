#pragma once
// CPU bodies of the image loss; arguments are already validated.

#include "ssim/ssim.hpp"

namespace dsasrgs::cpu {

ImageLossValue image_loss_forward(const Context&, const ImageLossShape&, const ImageLossInput&, double num_valid,
                                  View<float> derivative);
void image_loss_backward(const Context&, const ImageLossShape&, const ImageLossInput&, const ImageLossSaved&,
                         float grad_loss, GradientMode, View<float> grad_rendered);
void ssim_map(const Context&, const ImageLossShape&, View<const float> a, View<const float> b, View<float> map);

/// Number of valid pixels.
double count_valid(const ImageLossShape&, View<const std::uint8_t> valid);

}  // namespace dsasrgs::cpu
