// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// A layer of a convolutional network over images of several channels, and the pixel shuffle that ends one:
///
///   y[n,o,r,c] = σ(b[o] + Σ_i Σ_{k,l ∈ 0…2} w[o,i,k,l] · x[n,i,r+k−1,c+l−1]),   x = 0 beyond the image
///
/// with σ the identity or ReLU: the cross-correlation that networks call convolution (LeCun et al. 1998; Dumoulin &
/// Visin 2016, section 2.3, "half padding"). Shapes are PyTorch's (torch.nn.functional.conv2d with padding = 1,
/// pixel_shuffle), numbers have the caller's units.
///
/// The order of a sum does not depend on where a pixel is, on the size of the image or on the number of threads: a part
/// of an image with one pixel of margin on each side gives, within the margin, the bits of the whole.

#include <cstddef>

#include "common/gradient.hpp"
#include "dsasrgs/buffer.hpp"

namespace dsasrgs {

/// Of the products; sums, bias and ReLU are always fp32.
enum class ConvolvePrecision {
  fp32,
  /// What enters a product is rounded to bfloat16, to nearest even: image, weights, and the gradient of the output,
  /// which the bias's gradient sums rounded, too. CUDA multiplies on tensor cores (compute capability 8.0 or later).
  /// The CPU rounds the same numbers and computes in fp32, so it gains no speed.
  bf16,
};

enum class ConvolveActivation { none, relu };

inline constexpr int kConvolveMaxChannels = 1024;

struct ConvolveShape {
  int images = 1;                 ///< N
  int inputs = 32, outputs = 32;  ///< channels: C_in, C_out
  int width_px = 0, height_px = 0;
  ConvolveActivation activation = ConvolveActivation::none;
  ConvolvePrecision precision = ConvolvePrecision::fp32;
};

struct ConvolveInput {
  ConvolveShape shape;
  View<const float> weights;  ///< [C_out, C_in, 3, 3]
  View<const float> bias;     ///< [C_out]
  View<const float> image;    ///< [N, C_in, H, W]
};

/// output [N, C_out, H, W], overwritten; it is none of the input's arrays. No images: nothing. Throws InvalidArgument
/// when sizes disagree, an image is empty, or channels are not 1 to 1024.
void convolve_forward(Context&, const ConvolveInput&, View<float> output);

struct ConvolveGradient {
  View<float> image;    ///< as the image; an empty view is skipped
  View<float> weights;  ///< as the weights, always accumulated into; empty together with `bias`: both are skipped
  View<float> bias;     ///< likewise
  GradientMode image_mode = GradientMode::overwrite;
};

/// Memory the CUDA backend keeps between backward calls, so that a repeated call allocates nothing; grown as needed.
/// The CPU leaves it empty.
struct ConvolveScratch {
  Buffer<float> partial;  ///< gradients of weights and bias from each part of the images
};

/// VJP. output is what convolve_forward gave: with ReLU the gradient passes where it is positive; without, it is not
/// read and may be empty. grad_output [N, C_out, H, W] is none of the gradients' arrays. Gradients of weights and bias
/// are summed over a fixed partition of the pixels: bit-identical for any thread count. Throws as convolve_forward.
void convolve_backward(Context&, const ConvolveInput&, View<const float> output, View<const float> grad_output,
                       const ConvolveGradient&, ConvolveScratch&);

struct PixelShuffleShape {
  int images = 1;
  int channels = 1;                         ///< of the high-resolution image
  int low_width_px = 0, low_height_px = 0;  ///< the other image is scale times as large along each side
  int scale = 1;
};

/// high [N, C, sH, sW] ← low [N, C·s², H, W]: high[n, c, y·s+i, x·s+j] = low[n, c·s²+i·s+j, y, x] (Shi et al. 2016,
/// eq. 4, in PyTorch's order of channels). Overwritten. No images: nothing. Throws InvalidArgument when sizes disagree,
/// an image is empty, or channels or scale are not positive.
void pixel_shuffle(Context&, const PixelShuffleShape&, View<const float> low, View<float> high);

/// Its adjoint, which is its inverse, as it only moves numbers.
void pixel_shuffle_adjoint(Context&, const PixelShuffleShape&, View<const float> high, GradientMode, View<float> low);

}  // namespace dsasrgs
