// SPDX-License-Identifier: Apache-2.0
// Row-parallel; each row is first combined vertically into a row buffer, which the compiler vectorises.

#include <algorithm>

#include "common/host_vector.hpp"
#include "common/parallel.hpp"
#include "resample/resample_bodies.hpp"
#include "resample/resample_math.hpp"

namespace dsasrgs::cpu {
namespace {

/// Low-resolution rows per task.
constexpr std::size_t kRowBlock = 8;

std::size_t width_of(const ResampleShape& shape) { return static_cast<std::size_t>(shape.low_width_px); }
std::size_t height_of(const ResampleShape& shape) { return static_cast<std::size_t>(shape.low_height_px); }

/// out[i] = factor times the sum of block i. Scale 0: `scale` is only known at run time.
template <std::size_t Scale>
void sum_blocks(const float* sums, std::size_t scale, std::size_t width, float factor, float* out) {
  if constexpr (Scale > 0) scale = Scale;
  for (std::size_t i = 0; i < width; ++i) {
    float sum = 0;
    for (std::size_t k = 0; k < scale; ++k) sum += sums[i * scale + k];
    out[i] = sum * factor;
  }
}

}  // namespace

void upsample_bicubic(const Context& ctx, const ResampleShape& shape, View<const float> low, View<float> high) {
  const std::size_t width = width_of(shape), height = height_of(shape);
  const auto scale = static_cast<std::size_t>(shape.scale);
  HostVector<CubicPhase<float>> phases;
  for (int p = 0; p < shape.scale; ++p) {
    const CubicPhase<double> exact = cubic_phase<double>(p, shape.scale);
    CubicPhase<float>& rounded = phases.emplace_back();
    rounded.first = exact.first;
    for (int k = 0; k < 4; ++k) rounded.weight[k] = static_cast<float>(exact.weight[k]);
  }
  constexpr std::size_t kPad = 2;  // the farthest source pixel of an output pixel
  parallel_blocks(ctx, height, kRowBlock, [&](std::size_t begin, std::size_t end) {
    HostVector<float> padded(width + 2 * kPad);
    for (std::size_t out_row = begin * scale; out_row < end * scale; ++out_row) {
      const CubicPhase<float>& vertical = phases[out_row % scale];
      const float* source[4];
      for (int k = 0; k < 4; ++k) {
        const long row = static_cast<long>(out_row / scale) + vertical.first + k;
        source[k] = low.data() + static_cast<std::size_t>(std::clamp(row, 0L, static_cast<long>(height) - 1)) * width;
      }
      const float *w = vertical.weight, *s0 = source[0], *s1 = source[1], *s2 = source[2], *s3 = source[3];
      float* row = padded.data() + kPad;
      for (std::size_t c = 0; c < width; ++c) row[c] = (w[0] * s0[c] + w[1] * s1[c]) + (w[2] * s2[c] + w[3] * s3[c]);
      row[-2] = row[-1] = row[0];
      row[width] = row[width + 1] = row[width - 1];

      float* out = high.data() + out_row * width * scale;
      for (std::size_t p = 0; p < scale; ++p) {
        const float* v = phases[p].weight;
        const float* in = row + phases[p].first;
        for (std::size_t c = 0; c < width; ++c)
          out[c * scale + p] = (v[0] * in[c] + v[1] * in[c + 1]) + (v[2] * in[c + 2] + v[3] * in[c + 3]);
      }
    }
  });
}

void pool_average(const Context& ctx, const ResampleShape& shape, View<const float> high, View<float> low) {
  const std::size_t width = width_of(shape), height = height_of(shape);
  const auto scale = static_cast<std::size_t>(shape.scale), high_width = width * scale;
  const float factor = 1.0f / static_cast<float>(scale * scale);
  parallel_blocks(ctx, height, kRowBlock, [&](std::size_t begin, std::size_t end) {
    HostVector<float> sums(high_width);
    for (std::size_t r = begin; r < end; ++r) {
      const float* first = high.data() + r * scale * high_width;
      std::copy_n(first, high_width, sums.begin());
      for (std::size_t k = 1; k < scale; ++k) {
        const float* row = first + k * high_width;
        for (std::size_t c = 0; c < high_width; ++c) sums[c] += row[c];
      }
      float* out = low.data() + r * width;
      switch (scale) {
        case 2:
          sum_blocks<2>(sums.data(), scale, width, factor, out);
          break;
        case 4:
          sum_blocks<4>(sums.data(), scale, width, factor, out);
          break;
        default:
          sum_blocks<0>(sums.data(), scale, width, factor, out);
          break;
      }
    }
  });
}

void pool_average_adjoint(const Context& ctx, const ResampleShape& shape, View<const float> low, GradientMode mode,
                          View<float> high) {
  const std::size_t width = width_of(shape), height = height_of(shape);
  const auto scale = static_cast<std::size_t>(shape.scale), high_width = width * scale;
  const float factor = 1.0f / static_cast<float>(scale * scale);
  parallel_blocks(ctx, height, kRowBlock, [&](std::size_t begin, std::size_t end) {
    HostVector<float> spread(high_width);
    for (std::size_t r = begin; r < end; ++r) {
      const float* in = low.data() + r * width;
      for (std::size_t c = 0; c < width; ++c) std::fill_n(spread.data() + c * scale, scale, in[c] * factor);
      for (std::size_t k = 0; k < scale; ++k) {
        float* out = high.data() + (r * scale + k) * high_width;
        if (mode == GradientMode::accumulate)
          for (std::size_t c = 0; c < high_width; ++c) out[c] += spread[c];
        else
          std::copy_n(spread.data(), high_width, out);
      }
    }
  });
}

}  // namespace dsasrgs::cpu
