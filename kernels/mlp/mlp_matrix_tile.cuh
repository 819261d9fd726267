// SPDX-License-Identifier: Apache-2.0
#pragma once
// The products of a tile in bfloat16 on the tensor cores. All hidden layers' weights stay in shared memory, stored
// [in, out], which serves both directions.

#include "common/matrix_step.cuh"
#include "mlp/mlp_tile.cuh"

namespace dsasrgs::cuda {

/// A warp of a product has 32 outputs × 32 points as 2 × 2 matrices.
template <int kWidth_, int kPoints_>
struct MatrixTile : TileBase<kWidth_, kPoints_, Bf16> {
  using Base = TileBase<kWidth_, kPoints_, Bf16>;
  using Base::kHidden, Base::kPoints, Base::kRow, Base::kThreads, Base::kWeightRow, Base::kWidth;
  static constexpr int kGradientRows = kPoints;  ///< inputs staged at a time
  static constexpr int kStage = kGradientRows * kRow;
  static constexpr int kSums = kThreads / 32 * 16 * kSumRow;

  /// Rows of the weights of layers below `layer`, each layer's inputs padded with zeros to a multiple of 16.
  DSASRGS_HD static int weight_rows(const MlpShape& s, int layer) {
    return layer == 0 ? 0 : (s.inputs + 15) / 16 * 16 + (layer - 1) * kWidth;
  }
  /// Shared memory: the staged inputs, sums on their way from the matrix units, a number per thread, the weights, then
  /// hidden layers. Each begins at a multiple of 32 bytes.
  static std::size_t shared_bytes(const MlpShape& s, int hidden_layers) {
    return mlp_bf16_shared_bytes(s, hidden_layers);
  }
  __device__ static Bf16* stage(unsigned char* shared) { return reinterpret_cast<Bf16*>(shared); }
  __device__ static float* sums(unsigned char* shared) { return reinterpret_cast<float*>(stage(shared) + kStage); }
  __device__ static float* numbers(unsigned char* shared) { return sums(shared) + kSums; }
  __device__ static Bf16* weights(unsigned char* shared) { return reinterpret_cast<Bf16*>(numbers(shared) + kThreads); }
  __device__ static Bf16* hidden(unsigned char* shared, const MlpShape& s) {
    return weights(shared) + weight_rows(s, s.hidden_layers) * kWeightRow;
  }

  /// Brings in the weights.
  __device__ static void prepare(const Network& net, unsigned char* shared) {
    for (int l = 0; l < net.shape.hidden_layers; ++l) {
      const MlpLayer layer = mlp_layer(net.shape, l);
      const int ins = static_cast<int>(layer.inputs), first = weight_rows(net.shape, l);
      const int rows = weight_rows(net.shape, l + 1) - first;
      for (int i = static_cast<int>(threadIdx.x); i < rows * kWidth; i += kThreads) {
        const int in = i % rows, out = i / rows;
        put(weights(shared)[(first + in) * kWeightRow + out],
            in < ins && out < net.shape.width ? net.parameters[layer.weights + static_cast<std::size_t>(out * ins + in)]
                                              : 0.0f);
      }
    }
  }
  __device__ static bool keeps_inputs(int inputs) { return inputs <= kGradientRows; }

  /// See FloatTile. finish is not called for matrices of outputs that the layer does not have.
  template <Direction kDirection, class Finish>
  __device__ static void product(const Network& net, int layer, int first_out, const Bf16* rows, const Points& points,
                                 unsigned char* shared, Finish&& finish) {
    constexpr bool kForward = kDirection == Direction::forward;
    const MlpLayer at = mlp_layer(net.shape, layer);
    const int depth = static_cast<int>(kForward ? at.inputs : at.outputs),
              outs = static_cast<int>(kForward ? at.outputs : at.inputs) - first_out;
    const Bf16* const w = weights(shared) + weight_rows(net.shape, layer) * kWeightRow;
    const int p = point_of_warp(), o = row_of_warp();
    MatrixSum sum[2][2];
    for (int part = 0; part < depth; part += kGradientRows) {
      __syncthreads();
      if (rows == nullptr) {
        Base::stage_rows(points, part, kGradientRows, stage(shared));
        __syncthreads();
      }
      const Bf16* const a = rows == nullptr ? stage(shared) : rows + part * kRow;
      const int end = depth - part < kGradientRows ? depth - part : kGradientRows;
      for (int k = 0; k < end; k += 16) {
        FactorB<Layout::row> factor_b[2];
        for (int j = 0; j < 2; ++j) factor_b[j].load(a + k * kRow + p + 16 * j, kRow);
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          if (o + 16 * i >= outs) continue;
          FactorA<kForward ? Layout::column : Layout::row> factor_a;
          factor_a.load(kForward ? w + (part + k) * kWeightRow + o + 16 * i
                                 : w + (first_out + o + 16 * i) * kWeightRow + part + k,
                        kWeightRow);
#pragma unroll
          for (int j = 0; j < 2; ++j) sum[i][j].add_product(factor_a, factor_b[j]);
        }
      }
    }
    __syncthreads();
    for_each_sum(sum, sums_of_warp(shared), [&](int i, int row, int j, int column, const float* four) {
      if (o + 16 * i < outs) finish(o + 16 * i + row, p + 16 * j + column, load4(four));
    });
  }

  /// See FloatTile.
  template <class Put>
  __device__ static void weight_gradient(const Bf16* grad, const Bf16* rows, unsigned char* shared, Put&& put_sum) {
    const int in = point_of_warp(), out = row_of_warp();
    MatrixSum sum[2][2];
    for (int p = 0; p < kPoints; p += 16) {
      FactorB<Layout::column> b[2];
      for (int j = 0; j < 2; ++j) b[j].load(rows + (in + 16 * j) * kRow + p, kRow);
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        FactorA<Layout::row> a;
        a.load(grad + (out + 16 * i) * kRow + p, kRow);
#pragma unroll
        for (int j = 0; j < 2; ++j) sum[i][j].add_product(a, b[j]);
      }
    }
    for_each_sum(sum, sums_of_warp(shared), [&](int i, int row, int j, int column, const float* four) {
      for (int c = 0; c < 4; ++c) put_sum(out + 16 * i + row, in + 16 * j + column + c, four[c]);
    });
  }

 private:
  __device__ static int point_of_warp() { return static_cast<int>(threadIdx.x) / 32 % (kPoints / 32) * 32; }
  __device__ static int row_of_warp() { return static_cast<int>(threadIdx.x) / 32 / (kPoints / 32) * 32; }

  /// This warp's memory for sums.
  __device__ static float* sums_of_warp(unsigned char* shared) {
    return sums(shared) + static_cast<int>(threadIdx.x) / 32 * 16 * kSumRow;
  }
};

}  // namespace dsasrgs::cuda
