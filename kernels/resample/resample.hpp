// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Resampling between resolutions, half-pixel centres throughout.

#include "common/gradient.hpp"

namespace dsasrgs {

/// Number of source columns and rows; the other image is scale times as large along each side.
struct ResampleShape {
  int low_width_px = 0, low_height_px = 0;
  int scale = 1;
};

/// high [sH,sW] ← bicubic interpolation (Keys, a = −0.5) of low [H,W]; beyond the border the edge pixel is repeated.
/// Overwritten. Throws InvalidArgument when sizes disagree or scale < 1.
void upsample_bicubic(Context&, const ResampleShape&, View<const float> low, View<float> high);

/// low [H,W] ← mean of each s × s block of high [sH,sW] (detector binning). Overwritten.
void pool_average(Context&, const ResampleShape&, View<const float> high, View<float> low);

/// Adjoint of pool_average: each high pixel receives 1/s² of its block's value. ⟨pool x, y⟩ = ⟨x, poolᵀ y⟩.
void pool_average_adjoint(Context&, const ResampleShape&, View<const float> low, GradientMode, View<float> high);

}  // namespace dsasrgs
