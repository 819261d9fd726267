// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of rasterize.hpp on both backends; arguments are already validated.

#include "rasterize/rasterize.hpp"

namespace dsasrgs::cpu {

void rasterize_forward(Context&, const RasterizeInput&, RasterizeScratch&, View<float> image);
void rasterize_backward(Context&, const RasterizeInput&, View<const float> grad_image, GradientMode,
                        const RasterizeGradient&);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void rasterize_forward(Context&, const RasterizeInput&, RasterizeScratch&, View<float> image);
void rasterize_prepare(Context&, int width_px, int height_px, View<const PixelBox> box, RasterizeScratch&);
void rasterize_backward(Context&, const RasterizeInput&, View<const float> grad_image, GradientMode,
                        const RasterizeGradient&);

}  // namespace dsasrgs::cuda
