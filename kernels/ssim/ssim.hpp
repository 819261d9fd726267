// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// The image loss: fused L1 and structural dissimilarity, forward and backward.

#include <cstdint>

#include "common/gradient.hpp"

namespace dsasrgs {

/// 11 × 11 Gaussian window, σ = 1.5 px, zero padding (Wang et al. 2004).
struct ImageLossShape {
  int width_px = 0, height_px = 0;
  float ssim_weight = 0.2f;  ///< λ
  float unit = 1;            ///< L: the brightness that counts as 1, in the images' own unit; L1 is measured in it
  /// R: the data range of SSIM, in L. C1 = (0.01·R·L)², C2 = (0.03·R·L)².
  float ssim_range = 1;
};

struct ImageLossInput {
  View<const float> rendered;      ///< [H,W]
  View<const float> target;        ///< [H,W]
  View<const std::uint8_t> valid;  ///< [H,W], zero: the pixel is treated as lying outside the image, in both images
                                   ///< and in the mean. Empty view: all valid.
  std::size_t num_valid = 0;       ///< nonzero entries of valid, see count_valid; not read where `valid` is empty
};

struct ImageLossValue {
  double total = 0;  ///< (1−λ)·l1 + λ·(1 − ssim)
  double l1 = 0;     ///< mean |rendered − target| / L over valid pixels
  double ssim = 0;   ///< mean SSIM over valid pixels
  double mean = 0;   ///< mean of rendered / L over valid pixels; not part of the loss: tells a model that shows nothing
};

/// What the forward pass leaves behind. Sized by it, reused from call to call.
struct ImageLossSaved {
  /// [3,H,W] derivatives of SSIM(p) with respect to the rendered image's windowed mean, second moment and cross moment.
  Buffer<float> derivative;
  Buffer<ImageLossValue> value;  ///< [1], where the context's memory is
  Buffer<float> partial;         ///< scratch: sums of parts of the image
};

/// (1−λ)‖x − y‖₁/L + λ(1 − SSIM(x, y)), both means over the valid pixels (4DRGS, training loss).
/// SSIM = (2μxμy + C1)(2σxy + C2) / ((μx² + μy² + C1)(σx² + σy² + C2)), biased windowed moments.
/// The value stays where the context is (saved.value), so nobody waits. Deterministic for any thread count. Throws
/// InvalidArgument when sizes disagree, the image is empty, num_valid is not in 1 … H·W, or the fourth power of
/// unit or range is no positive float.
void image_loss_forward(Context&, const ImageLossShape&, const ImageLossInput&, ImageLossSaved&);

/// The value of the last forward pass, on the host. Waits for it. Throws InvalidArgument when there was none.
ImageLossValue image_loss_value(Context&, const ImageLossSaved&);

/// dL/d rendered [H,W], times grad_loss; zero at invalid pixels. The sign of x − y at x = y is taken as 0.
void image_loss_backward(Context&, const ImageLossShape&, const ImageLossInput&, const ImageLossSaved&, float grad_loss,
                         GradientMode, View<float> grad_rendered);

/// The SSIM map itself [H,W] (used for confidence maps), without mask.
void ssim_map(Context&, const ImageLossShape&, View<const float> a, View<const float> b, View<float> map);

}  // namespace dsasrgs
