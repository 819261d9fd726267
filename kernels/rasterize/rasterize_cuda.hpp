#pragma once

#include "rasterize/rasterize.hpp"

namespace dsasrgs::cuda {

void rasterize_forward(Context&, const RasterizeInput&, RasterizeScratch&, View<float> image);
void rasterize_backward(Context&, const RasterizeInput&, View<const float> grad_image, GradientMode,
                        const RasterizeGradient&);

}  // namespace dsasrgs::cuda
