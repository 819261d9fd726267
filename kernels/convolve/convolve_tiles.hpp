// SPDX-License-Identifier: Apache-2.0
#pragma once
// How the CPU cuts images into tiles, and a tile's numbers as its products read them.

#include <cstddef>

#include "convolve/convolve_math.hpp"

namespace dsasrgs::cpu {

/// A tile is so small that the rows a sum reads stay in the first-level cache, and three of the longest vectors wide.
inline constexpr std::size_t kConvolveRows = 8, kConvolveColumns = 48;
/// Floats of the longest vector in use.
inline constexpr std::size_t kConvolveLanes = 16;
/// A staged row begins one pixel left of the tile, and is longer than vectors at the tile's end reach.
inline constexpr std::size_t kStagedRow = kConvolveColumns + kConvolveLanes,
                             kStagedPlane = (kConvolveRows + 2) * kStagedRow;
/// Channels whose weights are packed together.
inline constexpr std::size_t kPackedChannels = 8;

struct ConvolveTile {
  std::size_t image, row, column, rows, columns;
};

/// The tiles of all images, the same for any number of threads.
class ConvolveTiles {
 public:
  explicit ConvolveTiles(const ConvolveShape&);
  std::size_t size() const { return count_; }
  ConvolveTile operator[](std::size_t) const;

 private:
  std::size_t width_, height_, columns_, across_, down_, count_;
};

/// staged [channels, kConvolveRows + 2, kStagedRow]: the tile and a pixel around it, zero beyond the image.
inline std::size_t convolve_staged_size(int channels) { return static_cast<std::size_t>(channels) * kStagedPlane; }
void convolve_stage(const ConvolveShape&, const ConvolveSource&, const ConvolveTile&, float* staged);

/// pixels [rows · columns, padded channels]: the tile with a pixel's channels side by side, pads zero.
inline std::size_t convolve_padded(int channels) {
  return (static_cast<std::size_t>(channels) + kConvolveLanes - 1) / kConvolveLanes * kConvolveLanes;
}
inline std::size_t convolve_pixels_size(int channels) {
  return kConvolveRows * kConvolveColumns * convolve_padded(channels);
}
void convolve_stage_pixels(const ConvolveShape&, const ConvolveSource&, const ConvolveTile&, float* pixels);

/// For every kPackedChannels results: their biases, then for each summed channel and tap their weights, rounded in
/// bf16; zero where there is no such channel. Without a bias it is zero.
inline std::size_t convolve_packed_block(ConvolveChannels channels) {
  return (1 + static_cast<std::size_t>(channels.summed) * kConvolveTaps) * kPackedChannels;
}
inline std::size_t convolve_packed_size(ConvolveChannels channels) {
  return (static_cast<std::size_t>(channels.results) + kPackedChannels - 1) / kPackedChannels *
         convolve_packed_block(channels);
}
void convolve_pack(const ConvolveShape&, ConvolveDirection, View<const float> weights, View<const float> bias,
                   float* packed);

}  // namespace dsasrgs::cpu
