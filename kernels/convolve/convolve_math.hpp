// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the numbers of a layer stand, the same on both backends. Its sums are three texts (convolve_product-inl.hpp,
// convolve_cuda.cu, convolve_matrix.cuh), since what makes each fast is its own order of loops and memory; oracles in
// double hold them. ReLU and its VJP are in common/relu.hpp.

#include <cstddef>

#include "common/bfloat16.hpp"
#include "common/relu.hpp"
#include "convolve/convolve.hpp"
#include "dsasrgs/math.hpp"

namespace dsasrgs {

inline constexpr int kConvolveTaps = 9;

/// From the image to the output, or from the output's gradient to the image's. The second is a convolution too: with
/// the channels changed over and the taps mirrored.
enum class ConvolveDirection { forward, to_image };

/// Channels that are summed over and channels that come out.
struct ConvolveChannels {
  int summed, results;
};
DSASRGS_HD inline ConvolveChannels convolve_channels(const ConvolveShape& s, ConvolveDirection direction) {
  return direction == ConvolveDirection::forward ? ConvolveChannels{s.inputs, s.outputs}
                                                 : ConvolveChannels{s.outputs, s.inputs};
}

/// Place of the weight that takes tap (tap / 3, tap % 3) of channel `summed` to channel `result`.
DSASRGS_HD inline std::size_t convolve_weight(const ConvolveShape& s, ConvolveDirection direction, int result,
                                              int summed, int tap) {
  const bool forward = direction == ConvolveDirection::forward;
  const std::size_t out = static_cast<std::size_t>(forward ? result : summed),
                    in = static_cast<std::size_t>(forward ? summed : result),
                    at = static_cast<std::size_t>(forward ? tap : kConvolveTaps - 1 - tap);
  return (out * static_cast<std::size_t>(s.inputs) + in) * kConvolveTaps + at;
}

DSASRGS_HD inline std::size_t convolve_pixels(const ConvolveShape& s) {
  return static_cast<std::size_t>(s.width_px) * static_cast<std::size_t>(s.height_px);
}

/// What a pass sums over: images [N, channels, H, W], as they are or as they enter a product.
struct ConvolveSource {
  const float* data;
  const float* open;  ///< the same shape; not positive: a closed ReLU, the pixel counts as 0. Null: all are open
  int channels;
  bool rounded;  ///< to bfloat16
  DSASRGS_HD float value(std::size_t at) const {
    const float v = open == nullptr ? data[at] : relu_vjp(open[at], data[at]);
    return rounded ? round_to_bf16(v) : v;
  }
};
inline ConvolveSource convolve_image(const ConvolveInput& in) {
  return {in.image.data(), nullptr, in.shape.inputs, in.shape.precision == ConvolvePrecision::bf16};
}
/// The gradient before the activation.
inline ConvolveSource convolve_gradient(const ConvolveShape& s, View<const float> output,
                                        View<const float> grad_output) {
  return {grad_output.data(), s.activation == ConvolveActivation::relu ? output.data() : nullptr, s.outputs,
          s.precision == ConvolvePrecision::bf16};
}

/// The place in the low-resolution images of element `high` of the shuffled ones.
DSASRGS_HD inline std::size_t pixel_shuffle_source(const PixelShuffleShape& s, std::size_t high) {
  const std::size_t width = static_cast<std::size_t>(s.low_width_px),
                    height = static_cast<std::size_t>(s.low_height_px), scale = static_cast<std::size_t>(s.scale);
  const std::size_t column = high % (width * scale), row = high / (width * scale) % (height * scale),
                    channel = high / (width * scale) / (height * scale);  // of all images
  return ((channel * scale + row % scale) * scale + column % scale) * width * height + row / scale * width +
         column / scale;
}

}  // namespace dsasrgs
