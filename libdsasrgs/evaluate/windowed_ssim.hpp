// SPDX-License-Identifier: Apache-2.0
#pragma once
// Structural similarity with a uniform window, for images and volumes (Wang et al. 2004, as scikit-image defines it).

#include <functional>

namespace dsasrgs {

/// Side of the uniform window.
constexpr int kSsimWindow = 7;

/// An image is a volume of one slice with a window of one slice.
struct SsimExtent {
  int size_x = 0, size_y = 0, size_z = 1;
  int window_z = 1;  ///< 1 for images, kSsimWindow for volumes
};

/// Fills slice z of both arrays [y,x], and marks with 1 the elements to leave out (0 otherwise).
using SsimSliceLoader = std::function<void(int z, double* rendered, double* reference, double* left_out)>;

/// Mean SSIM (K1 = 0.01, K2 = 0.03, covariances with n − 1) over the windows that lie inside and hold nothing left out;
/// NaN when there is none. Slices are loaded once each, in order.
double mean_windowed_ssim(const SsimExtent&, const SsimSliceLoader&, double data_range);

}  // namespace dsasrgs
