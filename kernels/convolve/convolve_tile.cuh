// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the kernels of both precisions share: tiles of pixels, a block's share of them, and how they reach shared
// memory.

#include "common/launch.cuh"
#include "convolve/convolve_math.hpp"

namespace dsasrgs::cuda {

inline constexpr int kTile = 16;  ///< pixels along each side of a block's tile
inline constexpr int kConvolveThreads = 128, kConvolveWarps = kConvolveThreads / 32;
inline constexpr int kHalo = kTile + 2;  ///< with a pixel of margin on each side

struct ConvolveTile {
  std::size_t image;
  int row, column;
};
DSASRGS_HD inline int tiles_along(int pixels) { return (pixels + kTile - 1) / kTile; }
inline std::size_t num_tiles(const ConvolveShape& s) {
  return static_cast<std::size_t>(s.images) * static_cast<std::size_t>(tiles_along(s.height_px)) *
         static_cast<std::size_t>(tiles_along(s.width_px));
}
__device__ inline ConvolveTile tile_at(const ConvolveShape& s, std::size_t i) {
  const std::size_t across = static_cast<std::size_t>(tiles_along(s.width_px)),
                    down = static_cast<std::size_t>(tiles_along(s.height_px));
  return {i / across / down, static_cast<int>(i / across % down) * kTile, static_cast<int>(i % across) * kTile};
}
DSASRGS_HD inline int groups_of(int channels, int together) { return (channels + together - 1) / together; }

/// Pixel `place` of a square of kSide pixels around the tile, zero beyond the image and the channels.
template <int kSide>
__device__ float staged_value(const ConvolveShape& s, const ConvolveSource& source, const ConvolveTile& tile,
                              int channel, int place) {
  constexpr int kMargin = (kSide - kTile) / 2;
  const int row = tile.row + place / kSide - kMargin, column = tile.column + place % kSide - kMargin;
  if (row < 0 || column < 0 || row >= s.height_px || column >= s.width_px || channel >= source.channels) return 0;
  const std::size_t plane = tile.image * static_cast<std::size_t>(source.channels) + static_cast<std::size_t>(channel);
  return source.value((plane * static_cast<std::size_t>(s.height_px) + static_cast<std::size_t>(row)) *
                          static_cast<std::size_t>(s.width_px) +
                      static_cast<std::size_t>(column));
}

/// One direction of the layer.
struct ConvolvePass {
  ConvolveShape shape;
  ConvolveDirection direction;
  ConvolveSource source;
  const float* weights;
  const float* bias;  ///< null: zero
  float* results;
  GradientMode mode;
  __device__ float weight(int result, int summed, int tap) const {
    const ConvolveChannels channels = convolve_channels(shape, direction);
    if (result >= channels.results || summed >= channels.summed) return 0;
    return weights[convolve_weight(shape, direction, result, summed, tap)];
  }
  __device__ float first_sum(int result) const {
    return bias != nullptr && result < convolve_channels(shape, direction).results ? bias[result] : 0.0f;
  }
  /// Where a pixel's results begin, from channel to channel an image's pixels apart; null beyond the image.
  __device__ float* place(const ConvolveTile& tile, int row, int column) const {
    row += tile.row;
    column += tile.column;
    if (row >= shape.height_px || column >= shape.width_px) return nullptr;
    return results +
           tile.image * static_cast<std::size_t>(convolve_channels(shape, direction).results) * convolve_pixels(shape) +
           static_cast<std::size_t>(row) * static_cast<std::size_t>(shape.width_px) + static_cast<std::size_t>(column);
  }
  __device__ float activated(float z) const {
    return direction == ConvolveDirection::forward && shape.activation == ConvolveActivation::relu ? relu(z) : z;
  }
};

/// Gradients of the parameters: a block has a group of outputs and inputs and a part of the tiles, and leaves its sums
/// in a set of [outputs, inputs, 9] weights and [outputs] biases.
struct ParameterPass {
  ConvolveShape shape;
  ConvolveSource image, gradient;
  std::size_t tiles, parts;
  float* partial;
  DSASRGS_HD std::size_t num_weights() const {
    return static_cast<std::size_t>(shape.outputs) * static_cast<std::size_t>(shape.inputs) * kConvolveTaps;
  }
  DSASRGS_HD std::size_t set() const { return num_weights() + static_cast<std::size_t>(shape.outputs); }
};
struct ParameterBlock {
  std::size_t first_tile, end_tile;
  int first_out, first_in;
  float* sums;
  __device__ ParameterBlock(const ParameterPass& pass, int outs, int ins) {
    const unsigned in_groups = static_cast<unsigned>(groups_of(pass.shape.inputs, ins)),
                   out_groups = static_cast<unsigned>(groups_of(pass.shape.outputs, outs));
    const std::size_t part = blockIdx.x / in_groups / out_groups;
    first_tile = part * pass.tiles / pass.parts;
    end_tile = (part + 1) * pass.tiles / pass.parts;
    first_out = static_cast<int>(blockIdx.x / in_groups % out_groups) * outs;
    first_in = static_cast<int>(blockIdx.x % in_groups) * ins;
    sums = pass.partial + part * pass.set();
  }
  __device__ void put_weight(const ParameterPass& pass, int out, int in, int tap, float sum) const {
    out += first_out;
    in += first_in;
    if (out < pass.shape.outputs && in < pass.shape.inputs)
      sums[convolve_weight(pass.shape, ConvolveDirection::forward, out, in, tap)] = sum;
  }
  /// `sum` of a thread with eight threads for each of 16 outputs; one block of the group of outputs keeps it.
  __device__ void put_bias(const ParameterPass& pass, float sum) const {
    sum = sum_over_lanes<8>(sum);
    const int out = first_out + static_cast<int>(threadIdx.x) / 8;
    if (first_in == 0 && threadIdx.x % 8 == 0 && out < pass.shape.outputs)
      sums[pass.num_weights() + static_cast<std::size_t>(out)] = sum;
  }
};

}  // namespace dsasrgs::cuda
