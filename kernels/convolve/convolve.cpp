// SPDX-License-Identifier: Apache-2.0
#include "convolve/convolve.hpp"

#include "common/checks.hpp"
#include "common/has_cuda.hpp"
#include "convolve/convolve_bodies.hpp"
#include "convolve/convolve_math.hpp"

namespace dsasrgs {
namespace {

/// N·channels·H·W.
std::size_t elements(const ConvolveShape& s, int channels) {
  return size_product(size_product(static_cast<std::size_t>(s.images), static_cast<std::size_t>(channels)),
                      convolve_pixels(s));
}

void check(const char* op, const ConvolveInput& in) {
  const ConvolveShape& s = in.shape;
  require_count(op, "shape.images", s.images, 0);
  require_count(op, "shape.inputs", s.inputs, 1, kConvolveMaxChannels);
  require_count(op, "shape.outputs", s.outputs, 1, kConvolveMaxChannels);
  require_image(op, "shape", s.width_px, s.height_px);
  const std::size_t outputs = static_cast<std::size_t>(s.outputs);
  require_size(op, "weights", outputs * static_cast<std::size_t>(s.inputs) * kConvolveTaps, in.weights.size());
  require_size(op, "bias", outputs, in.bias.size());
  require_size(op, "image", elements(s, s.inputs), in.image.size());
}

void check(const char* op, const PixelShuffleShape& s, std::size_t low_size, std::size_t high_size) {
  require_count(op, "shape.images", s.images, 0);
  require_count(op, "shape.channels", s.channels, 1);
  require_count(op, "shape.scale", s.scale, 1);
  const std::size_t pixels = require_image(op, "shape", s.low_width_px, s.low_height_px);
  const std::size_t squared = static_cast<std::size_t>(s.scale) * static_cast<std::size_t>(s.scale);
  const std::size_t size = size_product(
      size_product(static_cast<std::size_t>(s.images) * static_cast<std::size_t>(s.channels), squared), pixels);
  require_size(op, "low", size, low_size);
  require_size(op, "high", size, high_size);
}

}  // namespace

void convolve_forward(Context& ctx, const ConvolveInput& in, View<float> output) {
  constexpr const char* kOp = "convolve_forward";
  check(kOp, in);
  require_size(kOp, "output", elements(in.shape, in.shape.outputs), output.size());
  if (output.empty()) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::convolve_forward(ctx, in, output);
  cpu::convolve_forward(ctx, in, output);
}

void convolve_backward(Context& ctx, const ConvolveInput& in, View<const float> output, View<const float> grad_output,
                       const ConvolveGradient& gradient, ConvolveScratch& scratch) {
  constexpr const char* kOp = "convolve_backward";
  check(kOp, in);
  const std::size_t size = elements(in.shape, in.shape.outputs);
  if (in.shape.activation == ConvolveActivation::relu) require_size(kOp, "output", size, output.size());
  require_size(kOp, "grad_output", size, grad_output.size());
  if (!gradient.image.empty()) require_size(kOp, "gradient image", in.image.size(), gradient.image.size());
  if (!gradient.weights.empty() || !gradient.bias.empty()) {
    require_size(kOp, "gradient weights", in.weights.size(), gradient.weights.size());
    require_size(kOp, "gradient bias", in.bias.size(), gradient.bias.size());
  }
  if (grad_output.empty()) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::convolve_backward(ctx, in, output, grad_output, gradient, scratch);
  cpu::convolve_backward(ctx, in, output, grad_output, gradient);
}

void pixel_shuffle(Context& ctx, const PixelShuffleShape& shape, View<const float> low, View<float> high) {
  check("pixel_shuffle", shape, low.size(), high.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::pixel_shuffle(ctx, shape, low, high);
  cpu::pixel_shuffle(ctx, shape, low, high);
}

void pixel_shuffle_adjoint(Context& ctx, const PixelShuffleShape& shape, View<const float> high, GradientMode mode,
                           View<float> low) {
  check("pixel_shuffle_adjoint", shape, low.size(), high.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::pixel_shuffle_adjoint(ctx, shape, high, mode, low);
  cpu::pixel_shuffle_adjoint(ctx, shape, high, mode, low);
}

}  // namespace dsasrgs
