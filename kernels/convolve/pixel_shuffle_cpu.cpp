// SPDX-License-Identifier: Apache-2.0
// A task moves one row of low-resolution pixels: s rows of s numbers each on the other side.

#include "common/parallel.hpp"
#include "convolve/convolve_bodies.hpp"

namespace dsasrgs::cpu {
namespace {

/// Calls move(first low element, first high element, high elements from one to the next, number of elements) for each
/// row of low-resolution pixels.
template <class Move>
void for_each_row(const Context& ctx, const PixelShuffleShape& s, Move&& move) {
  const std::size_t width = static_cast<std::size_t>(s.low_width_px),
                    height = static_cast<std::size_t>(s.low_height_px), scale = static_cast<std::size_t>(s.scale);
  const std::size_t channels = static_cast<std::size_t>(s.images) * static_cast<std::size_t>(s.channels);
  parallel_for(ctx, channels * height, [&](std::size_t task) {
    const std::size_t channel = task / height, row = task % height;
    for (std::size_t i = 0; i < scale; ++i)
      for (std::size_t j = 0; j < scale; ++j)
        move((((channel * scale + i) * scale + j) * height + row) * width,
             ((channel * height + row) * scale + i) * width * scale + j, scale, width);
  });
}

}  // namespace

void pixel_shuffle(const Context& ctx, const PixelShuffleShape& shape, View<const float> low, View<float> high) {
  for_each_row(ctx, shape, [&](std::size_t from, std::size_t to, std::size_t step, std::size_t count) {
    for (std::size_t x = 0; x < count; ++x) high[to + x * step] = low[from + x];
  });
}

void pixel_shuffle_adjoint(const Context& ctx, const PixelShuffleShape& shape, View<const float> high,
                           GradientMode mode, View<float> low) {
  for_each_row(ctx, shape, [&](std::size_t to, std::size_t from, std::size_t step, std::size_t count) {
    if (mode == GradientMode::accumulate)
      for (std::size_t x = 0; x < count; ++x) low[to + x] += high[from + x * step];
    else
      for (std::size_t x = 0; x < count; ++x) low[to + x] = high[from + x * step];
  });
}

}  // namespace dsasrgs::cpu
