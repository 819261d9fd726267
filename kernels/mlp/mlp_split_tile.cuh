// SPDX-License-Identifier: Apache-2.0
#pragma once
// The fp32 products of a tile on tensor cores: FloatTile's memory and order, 32 × 32 numbers a warp.

#include "common/split_step.cuh"
#include "mlp/mlp_tile.cuh"

namespace dsasrgs::cuda {

template <int kWidth_, int kPoints_>
struct SplitTile : FloatTile<kWidth_, kPoints_> {
  using Base = FloatTile<kWidth_, kPoints_>;
  using Base::kDepth, Base::kGradientRows, Base::kPoints, Base::kRow, Base::kStage, Base::kThreads, Base::kWeightRow,
      Base::stage;
  static constexpr int kForwardBlocks = 4;
  static constexpr int kWarps = kThreads / 32, kWarpsAcross = kPoints / 32;
  static_assert(kWarps * 16 * kSumRow <= kStage, "sums go through the stage");

  /// See FloatTile.
  template <Direction kDirection, class Finish>
  __device__ static void product(const Network& net, int layer, int first_out, const float* rows, const Points& points,
                                 unsigned char* shared, Finish&& finish) {
    const MlpLayer at = mlp_layer(net.shape, layer);
    const int all = static_cast<int>(kDirection == Direction::forward ? at.inputs : at.outputs);
    const int p = warp() % kWarpsAcross * 32, o = warp() / kWarpsAcross * 32;
    float *const weights = stage(shared), *const staged_rows = weights + kDepth * kWeightRow;
    SplitSum sum[2][2];
    for (int depth = 0; depth < all; depth += kDepth) {
      __syncthreads();
      Base::template stage_weights<kDirection>(at, net.parameters + at.weights, first_out, depth, weights);
      if (rows == nullptr) Base::stage_rows(points, depth, kDepth, staged_rows);
      __syncthreads();
      const float* const a = rows == nullptr ? staged_rows : rows + depth * kRow;
#pragma unroll 1  // or the registers do not suffice
      for (int k = 0; k < kDepth; k += 8) {
        SplitB<Layout::row> factor_b[2];
#pragma unroll
        for (int j = 0; j < 2; ++j) factor_b[j].load(a + k * kRow + p + 16 * j, kRow);
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          SplitA<Layout::column> factor_a;
          factor_a.load(weights + k * kWeightRow + o + 16 * i, kWeightRow);
#pragma unroll
          for (int j = 0; j < 2; ++j) sum[i][j].add_product(factor_a, factor_b[j]);
        }
      }
    }
    for_each_sum(sum, sums(shared), [&](int i, int row, int j, int column, const float* four) {
      finish(o + 16 * i + row, p + 16 * j + column, load4(four));
    });
  }

  /// See FloatTile.
  template <class Put>
  __device__ static void weight_gradient(const float* grad, const float* rows, unsigned char* shared, Put&& put_sum) {
    constexpr int kIns = kGradientRows / kWarpsAcross;  // of a warp
    static_assert(kIns % 16 == 0);
    const int in = warp() % kWarpsAcross * kIns, out = warp() / kWarpsAcross * 32;
    SplitSum sum[2][kIns / 16];
    for (int p = 0; p < kPoints; p += 8) {
      SplitB<Layout::column> b[kIns / 16];
#pragma unroll
      for (int j = 0; j < kIns / 16; ++j) b[j].load(rows + (in + 16 * j) * kRow + p, kRow);
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        SplitA<Layout::row> a;
        a.load(grad + (out + 16 * i) * kRow + p, kRow);
#pragma unroll
        for (int j = 0; j < kIns / 16; ++j) sum[i][j].add_product(a, b[j]);
      }
    }
    for_each_sum(sum, sums(shared), [&](int i, int row, int j, int column, const float* four) {
      for (int c = 0; c < 4; ++c) put_sum(out + 16 * i + row, in + 16 * j + column + c, four[c]);
    });
  }

 private:
  __device__ static int warp() { return static_cast<int>(threadIdx.x) / 32; }

  /// This warp's part of the stage, for sums, once everyone is done with it.
  __device__ static float* sums(unsigned char* shared) {
    __syncthreads();
    return stage(shared) + warp() * 16 * kSumRow;
  }
};

}  // namespace dsasrgs::cuda
