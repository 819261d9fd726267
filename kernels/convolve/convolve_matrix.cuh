// SPDX-License-Identifier: Apache-2.0
#pragma once
// The products in bfloat16 on tensor cores. In shared memory a pixel's 16 channels lie side by side, 32 bytes, so that
// a matrix of 16 pixels in a row may begin at any pixel and a tap is nothing but another beginning.

#include "common/matrix_step.cuh"
#include "common/store.cuh"
#include "convolve/convolve_tile.cuh"

namespace dsasrgs::cuda {

inline constexpr int kMatrix = 16;                        ///< channels side by side
inline constexpr int kTileRows = kTile / kConvolveWarps;  ///< of a warp
static_assert(kTile == kMatrix && kConvolveThreads == 8 * kMatrix);

/// to [kSide · kSide, 16]: channels [first, first + 16). Two channels per thread, neighbouring threads beside each
/// other.
template <int kSide>
__device__ void stage_matrix(const ConvolveShape& s, const ConvolveSource& source, const ConvolveTile& tile, int first,
                             Bf16* to) {
  constexpr int kPairs = kMatrix / 2;
  for (int i = static_cast<int>(threadIdx.x); i < kSide * kSide * kPairs; i += kConvolveThreads) {
    const int channel = first + i % kPairs * 2, place = i / kPairs;
    reinterpret_cast<unsigned*>(to)[i] = bf16_pair(staged_value<kSide>(s, source, tile, channel, place),
                                                   staged_value<kSide>(s, source, tile, channel + 1, place));
  }
}

/// A block has up to 32 results of a tile, a warp four rows of pixels of it as 2 × 4 matrices.
__global__ void __launch_bounds__(kConvolveThreads) convolve_matrix_kernel(ConvolvePass pass) {
  constexpr int kGroups = 2;
  alignas(32) __shared__ Bf16 pixels[kHalo * kHalo * kMatrix];
  alignas(32) __shared__ Bf16 weights[kConvolveTaps * kGroups * kMatrix * kMatrix];  // [tap, result, summed]
  alignas(32) __shared__ float sums[kConvolveWarps][kMatrix * kSumRow];
  const ConvolveChannels channels = convolve_channels(pass.shape, pass.direction);
  const unsigned blocks = static_cast<unsigned>(groups_of(channels.results, kGroups * kMatrix));
  const ConvolveTile tile = tile_at(pass.shape, blockIdx.x / blocks);
  const int first_result = static_cast<int>(blockIdx.x % blocks) * kGroups * kMatrix;
  const int groups = channels.results - first_result > kMatrix ? 2 : 1;
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(lane_index());

  MatrixSum sum[kGroups][kTileRows];
  for (int depth = 0; depth < channels.summed; depth += kMatrix) {
    __syncthreads();
    stage_matrix<kHalo>(pass.shape, pass.source, tile, depth, pixels);
    for (int i = static_cast<int>(threadIdx.x); i < kConvolveTaps * kGroups * kMatrix * kMatrix;
         i += kConvolveThreads) {
      const int tap = i % kConvolveTaps, summed = i / kConvolveTaps % kMatrix, result = i / kConvolveTaps / kMatrix;
      put(weights[(tap * kGroups * kMatrix + result) * kMatrix + summed],
          pass.weight(first_result + result, depth + summed, tap));
    }
    __syncthreads();
#pragma unroll 1
    for (int l = 0; l < 3; ++l) {  // unrolled it would spill registers on some devices
      FactorA<Layout::row> a[3][kGroups];
#pragma unroll
      for (int k = 0; k < 3; ++k)
#pragma unroll
        for (int g = 0; g < kGroups; ++g)
          a[k][g].load(weights + ((k * 3 + l) * kGroups + g) * kMatrix * kMatrix, kMatrix);
          // Each row of pixels serves the three taps of a column.
#pragma unroll
      for (int j = 0; j < kTileRows + 2; ++j) {
        FactorB<Layout::column> b;
        b.load(pixels + ((warp * kTileRows + j) * kHalo + l) * kMatrix, kMatrix);
#pragma unroll
        for (int k = 0; k < 3; ++k) {
          if (j < k || j - k >= kTileRows) continue;
          sum[0][j - k].add_product(a[k][0], b);
          if (groups == 2) sum[1][j - k].add_product(a[k][1], b);
        }
      }
    }
  }
  float* const memory = sums[warp];
  const std::size_t plane = convolve_pixels(pass.shape);
#pragma unroll
  for (int g = 0; g < kGroups; ++g)
#pragma unroll
    for (int r = 0; r < kTileRows; ++r) {
      sum[g][r].store(memory, kSumRow);
      __syncwarp();
      float* const to = pass.place(tile, warp * kTileRows + r, lane % kTile);
      for (int o = lane / kTile; o < kMatrix; o += 2) {
        const int result = first_result + g * kMatrix + o;
        if (to != nullptr && result < channels.results)
          store(to[static_cast<std::size_t>(result) * plane],
                pass.activated(memory[o * kSumRow + lane % kTile] + pass.first_sum(result)), pass.mode);
      }
      __syncwarp();
    }
}

/// A block has 16 outputs × 16 inputs; a warp sums over four rows of each tile.
__global__ void __launch_bounds__(kConvolveThreads) parameter_matrix_kernel(ParameterPass pass) {
  alignas(32) __shared__ Bf16 pixels[kHalo * kHalo * kMatrix];
  alignas(32) __shared__ Bf16 gradient[kTile * kTile * kMatrix];
  alignas(32) __shared__ float sums[kConvolveWarps][kMatrix * kSumRow];
  const ParameterBlock block(pass, kMatrix, kMatrix);
  const int warp = static_cast<int>(threadIdx.x) / 32;
  MatrixSum sum[kConvolveTaps];
  float bias = 0;
  for (std::size_t t = block.first_tile; t < block.end_tile; ++t) {
    const ConvolveTile tile = tile_at(pass.shape, t);
    __syncthreads();
    stage_matrix<kHalo>(pass.shape, pass.image, tile, block.first_in, pixels);
    stage_matrix<kTile>(pass.shape, pass.gradient, tile, block.first_out, gradient);
    __syncthreads();
    for (int p = static_cast<int>(threadIdx.x) % 8; p < kTile * kTile; p += 8)
      bias += to_float(gradient[p * kMatrix + static_cast<int>(threadIdx.x) / 8]);
#pragma unroll 1
    for (int r = 0; r < kTileRows; ++r) {
      const int row = warp * kTileRows + r;
      FactorA<Layout::column> a;
      a.load(gradient + row * kTile * kMatrix, kMatrix);
#pragma unroll
      for (int tap = 0; tap < kConvolveTaps; ++tap) {
        FactorB<Layout::row> b;
        b.load(pixels + ((row + tap / 3) * kHalo + tap % 3) * kMatrix, kMatrix);
        sum[tap].add_product(a, b);
      }
    }
  }
  block.put_bias(pass, bias);
#pragma unroll
  for (int tap = 0; tap < kConvolveTaps; ++tap) {
    __syncthreads();
    sum[tap].store(sums[warp], kSumRow);
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < kMatrix * kMatrix; i += kConvolveThreads) {
      const int at = i / kMatrix * kSumRow + i % kMatrix;
      float total = sums[0][at];
      for (int w = 1; w < kConvolveWarps; ++w) total += sums[w][at];
      block.put_weight(pass, i / kMatrix, i % kMatrix, tap, total);
    }
  }
}

}  // namespace dsasrgs::cuda
