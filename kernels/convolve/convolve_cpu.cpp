// SPDX-License-Identifier: Apache-2.0
// A task is a tile: its image with a margin is copied to memory of its own, which takes the borders, the closed ReLUs
// and bfloat16 out of the products.

#include <algorithm>

#include "common/parallel.hpp"
#include "convolve/convolve_bodies.hpp"
#include "convolve/convolve_tiles.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "convolve/convolve_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "convolve/convolve_product-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace dsasrgs::cpu::HWY_NAMESPACE {

void run_tile(const ConvolveShape& shape, ConvolveDirection direction, const float* staged, const float* packed,
              const ConvolveTile& tile, GradientMode mode, float* results) {
  const ConvolveChannels channels = convolve_channels(shape, direction);
  const std::size_t width = static_cast<std::size_t>(shape.width_px), plane = convolve_pixels(shape),
                    count = static_cast<std::size_t>(channels.results);
  const bool relu = direction == ConvolveDirection::forward && shape.activation == ConvolveActivation::relu;
  convolve_tile(staged, packed, channels, tile,
                {results + tile.image * count * plane + tile.row * width + tile.column, plane, width, count, relu,
                 mode == GradientMode::accumulate});
}

void add_tile(const ConvolveShape& shape, const float* staged, const float* pixels, const ConvolveTile& tile,
              float* weights, float* bias) {
  add_parameter_sums(staged, pixels, static_cast<std::size_t>(shape.inputs), convolve_padded(shape.outputs), tile,
                     weights, bias);
}

}  // namespace dsasrgs::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dsasrgs::cpu {

HWY_EXPORT(run_tile);
HWY_EXPORT(add_tile);

namespace {

/// One direction of the layer: results from source.
void run(Context& ctx, const ConvolveShape& shape, ConvolveDirection direction, const ConvolveSource& source,
         View<const float> weights, View<const float> bias, GradientMode mode, float* results) {
  Buffer<float> packed(ctx, convolve_packed_size(convolve_channels(shape, direction)));
  convolve_pack(shape, direction, weights, bias, packed.data());
  const ConvolveTiles tiles(shape);
  parallel_for(ctx, tiles.size(), [&](std::size_t i) {
    Buffer<float> staged(ctx, convolve_staged_size(source.channels));
    convolve_stage(shape, source, tiles[i], staged.data());
    HWY_DYNAMIC_DISPATCH(run_tile)
    (shape, direction, staged.data(), packed.data(), tiles[i], mode, results);
  });
}

/// Partial sums over a partition of the tiles that depends on their number only, added in order.
void add_parameter_gradients(Context& ctx, const ConvolveShape& shape, const ConvolveSource& image,
                             const ConvolveSource& gradient, View<float> grad_weights, View<float> grad_bias) {
  constexpr std::size_t kMaxParts = 32;
  const ConvolveTiles tiles(shape);
  const std::size_t num_parts = std::min(tiles.size(), kMaxParts);
  const std::size_t inputs = static_cast<std::size_t>(shape.inputs), outputs = static_cast<std::size_t>(shape.outputs);
  const std::size_t stride = convolve_padded(shape.outputs), num_weights = inputs * kConvolveTaps * stride;
  const std::size_t size = num_weights + stride;  // of a part: weights [inputs, taps, stride], bias [stride]
  Buffer<float> partial(ctx, num_parts * size);
  parallel_for(ctx, num_parts, [&](std::size_t part) {
    Buffer<float> staged(ctx, convolve_staged_size(shape.inputs)), pixels(ctx, convolve_pixels_size(shape.outputs));
    float* const sums = partial.data() + part * size;
    std::fill_n(sums, size, 0.0f);
    const std::size_t end = (part + 1) * tiles.size() / num_parts;
    for (std::size_t i = part * tiles.size() / num_parts; i < end; ++i) {
      convolve_stage(shape, image, tiles[i], staged.data());
      convolve_stage_pixels(shape, gradient, tiles[i], pixels.data());
      HWY_DYNAMIC_DISPATCH(add_tile)
      (shape, staged.data(), pixels.data(), tiles[i], sums, sums + num_weights);
    }
  });
  constexpr std::size_t kSumBlock = 1024;
  parallel_blocks(ctx, size, kSumBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t part = 1; part < num_parts; ++part)
      for (std::size_t i = begin; i < end; ++i) partial.data()[i] += partial.data()[part * size + i];
  });
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t i = 0; i < inputs * kConvolveTaps; ++i)
      grad_weights[o * inputs * kConvolveTaps + i] += partial.data()[i * stride + o];
    grad_bias[o] += partial.data()[num_weights + o];
  }
}

}  // namespace

void convolve_forward(Context& ctx, const ConvolveInput& in, View<float> output) {
  run(ctx, in.shape, ConvolveDirection::forward, convolve_image(in), in.weights, in.bias, GradientMode::overwrite,
      output.data());
}

void convolve_backward(Context& ctx, const ConvolveInput& in, View<const float> output, View<const float> grad_output,
                       const ConvolveGradient& gradient) {
  const ConvolveSource source = convolve_gradient(in.shape, output, grad_output);
  if (!gradient.image.empty())
    run(ctx, in.shape, ConvolveDirection::to_image, source, in.weights, {}, gradient.image_mode, gradient.image.data());
  if (!gradient.weights.empty())
    add_parameter_gradients(ctx, in.shape, convolve_image(in), source, gradient.weights, gradient.bias);
}

}  // namespace dsasrgs::cpu
#endif
