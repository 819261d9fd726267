// SPDX-License-Identifier: Apache-2.0
#include "convolve/convolve_tiles.hpp"

#include <hwy/cache_control.h>

#include <algorithm>

namespace dsasrgs::cpu {
namespace {

/// Asks for `count` numbers that a later call of stage_row will want: rows of different channels lie so far apart that
/// the processor does not foresee them.
void announce_row(const ConvolveSource& source, std::size_t from, std::size_t count) {
  constexpr std::size_t kLine = 16;
  for (std::size_t x = 0; x < count; x += kLine) {
    hwy::Prefetch(source.data + from + x);
    if (source.open != nullptr) hwy::Prefetch(source.open + from + x);
  }
}

/// `count` numbers of a row, from element `from` on. Which ReLUs are closed cannot be foretold, so the loop must not
/// branch: it becomes vectors because it reads and writes `to` in any case.
void stage_row(const ConvolveSource& source, std::size_t from, std::size_t count, float* __restrict to) {
  std::copy_n(source.data + from, count, to);
  if (source.open != nullptr) {
    const float* const __restrict open = source.open + from;
    for (std::size_t x = 0; x < count; ++x) to[x] = relu_vjp(open[x], to[x]);
  }
  if (source.rounded) std::transform(to, to + count, to, round_to_bf16);
}

}  // namespace

ConvolveTiles::ConvolveTiles(const ConvolveShape& s)
    : width_(static_cast<std::size_t>(s.width_px)), height_(static_cast<std::size_t>(s.height_px)) {
  // As few as can be, of nearly equal width, in whole vectors.
  const std::size_t fewest = (width_ + kConvolveColumns - 1) / kConvolveColumns;
  columns_ = ((width_ + fewest - 1) / fewest + kConvolveLanes - 1) / kConvolveLanes * kConvolveLanes;
  across_ = (width_ + columns_ - 1) / columns_;
  down_ = (height_ + kConvolveRows - 1) / kConvolveRows;
  count_ = static_cast<std::size_t>(s.images) * down_ * across_;
}

ConvolveTile ConvolveTiles::operator[](std::size_t i) const {
  const std::size_t column = i % across_ * columns_, row = i / across_ % down_ * kConvolveRows;
  return {i / across_ / down_, row, column, std::min(kConvolveRows, height_ - row),
          std::min(columns_, width_ - column)};
}

void convolve_stage(const ConvolveShape& s, const ConvolveSource& source, const ConvolveTile& tile, float* staged) {
  const std::size_t width = static_cast<std::size_t>(s.width_px), height = static_cast<std::size_t>(s.height_px);
  const std::size_t channels = static_cast<std::size_t>(source.channels);
  const std::size_t first = tile.column == 0 ? 0 : tile.column - 1,  // of the image's columns
      end = std::min(width, tile.column + tile.columns + 1), left = first + 1 - tile.column, count = end - first;
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t r = 0; r < tile.rows + 2; ++r) {
      const std::size_t row = tile.row + r - 1;  // −1 is more than any height
      float* const to = staged + c * kStagedPlane + r * kStagedRow;
      if (row >= height) {
        std::fill_n(to, kStagedRow, 0.0f);
        continue;
      }
      to[0] = 0;
      const std::size_t from = ((tile.image * channels + c) * height + row) * width + first;
      if (c + 1 < channels) announce_row(source, from + width * height, count);
      stage_row(source, from, count, to + left);
      std::fill_n(to + left + count, kStagedRow - left - count, 0.0f);
    }
}

void convolve_stage_pixels(const ConvolveShape& s, const ConvolveSource& source, const ConvolveTile& tile,
                           float* pixels) {
  const std::size_t width = static_cast<std::size_t>(s.width_px), height = static_cast<std::size_t>(s.height_px);
  const std::size_t channels = static_cast<std::size_t>(source.channels), stride = convolve_padded(source.channels);
  constexpr std::size_t kTogether = 4;  // channels that reach a pixel at once
  float rows[kTogether][kConvolveColumns];
  for (std::size_t r = 0; r < tile.rows; ++r, pixels += tile.columns * stride)
    for (std::size_t c = 0; c < stride; c += kTogether) {
      for (std::size_t i = 0; i < kTogether; ++i) {
        if (c + i >= channels) {
          std::fill_n(rows[i], tile.columns, 0.0f);
          continue;
        }
        const std::size_t from = ((tile.image * channels + c + i) * height + tile.row + r) * width + tile.column;
        if (r + 1 < tile.rows) announce_row(source, from + width, tile.columns);
        stage_row(source, from, tile.columns, rows[i]);
      }
      for (std::size_t x = 0; x < tile.columns; ++x)
        for (std::size_t i = 0; i < kTogether; ++i) pixels[x * stride + c + i] = rows[i][x];
    }
}

void convolve_pack(const ConvolveShape& s, ConvolveDirection direction, View<const float> weights,
                   View<const float> bias, float* packed) {
  const ConvolveChannels channels = convolve_channels(s, direction);
  const std::size_t block = convolve_packed_block(channels);
  std::fill_n(packed, convolve_packed_size(channels), 0.0f);
  for (int result = 0; result < channels.results; ++result) {
    const std::size_t o = static_cast<std::size_t>(result);
    float* to = packed + o / kPackedChannels * block + o % kPackedChannels;
    if (!bias.empty()) *to = bias[o];
    for (int summed = 0; summed < channels.summed; ++summed)
      for (int tap = 0; tap < kConvolveTaps; ++tap) {
        const float w = weights[convolve_weight(s, direction, result, summed, tap)];
        *(to += kPackedChannels) = s.precision == ConvolvePrecision::bf16 ? round_to_bf16(w) : w;
      }
  }
}

}  // namespace dsasrgs::cpu
