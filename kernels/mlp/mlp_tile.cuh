// SPDX-License-Identifier: Apache-2.0
#pragma once
// The network on a tile of points, one tile per block at a time: what all share, and the fp32 products without tensor
// cores.
// Arrays of a tile are feature-major with the points in rows, as the input is.

#include "common/bfloat16.cuh"
#include "common/launch.cuh"
#include "mlp/mlp_math.hpp"

namespace dsasrgs::cuda {

struct Network {
  MlpShape shape;
  const float *parameters, *input;
  std::size_t n;
  float gain;
};

/// `count` points of a feature-major array [features, n] that begin at `data`.
struct Points {
  const float* data;
  std::size_t n;
  int features, count;
};

/// A layer's product: from its inputs to its outputs, or gradients from its outputs to its inputs.
enum class Direction { forward, backward };

/// kWidth hidden units (or fewer) for kPoints points, kept as Elements. A product gives each thread 32 numbers.
template <int kWidth_, int kPoints_, class Element_>
struct TileBase {
  using Element = Element_;
  static constexpr int kWidth = kWidth_, kPoints = kPoints_;
  static constexpr int kThreads = kWidth * kPoints / 32;
  static constexpr int kForwardBlocks = 5;           ///< narrow, that a multiprocessor's registers serve at once
  static constexpr int kPad = 16 / sizeof(Element);  ///< puts neighbouring rows on different memory banks
  static constexpr int kRow = kPoints + kPad, kWeightRow = kWidth + kPad;
  static constexpr int kHidden = kWidth * kRow;  ///< elements of one hidden layer

  /// Rows [first, first + rows) of the points, zero where there are none.
  __device__ static void stage_rows(const Points& points, int first, int rows, Element* to) {
    for (int i = static_cast<int>(threadIdx.x); i < rows * kPoints; i += kThreads) {
      const int row = i / kPoints, p = i % kPoints;
      const bool is_there = first + row < points.features && p < points.count;
      put(to[row * kRow + p], is_there ? points.data[static_cast<std::size_t>(first + row) * points.n + p] : 0.0f);
    }
  }

  /// Σ_p row[p]·factor[p]; without factor Σ_p row[p].
  template <class Row>
  __device__ static float row_sum(const Row* row, const float* factor) {
    float sum = 0;
    for (int p = 0; p < kPoints; p += 4) {
      const float4 v = load4(row + p);
      const float4 f = factor == nullptr ? make_float4(1, 1, 1, 1) : load4(factor + p);
      sum += v.x * f.x + v.y * f.y + v.z * f.z + v.w * f.w;
    }
    return sum;
  }

  /// The output before its activation, of point threadIdx.x where that is below kPoints. numbers [kThreads].
  __device__ static float logit(const MlpLayer& last, const float* parameters, const Element* top, float* numbers) {
    constexpr int kParts = kThreads / kPoints;
    const int t = static_cast<int>(threadIdx.x), p = t % kPoints;
    __syncthreads();
    float sum = 0;
    for (int k = t / kPoints; k < static_cast<int>(last.inputs); k += kParts)
      sum += parameters[last.weights + static_cast<std::size_t>(k)] * to_float(top[k * kRow + p]);
    numbers[t] = sum;
    __syncthreads();
    if (t >= kPoints) return 0;
    sum = parameters[last.biases];
    for (int part = 0; part < kParts; ++part) sum += numbers[part * kPoints + p];
    return sum;
  }
};

/// fp32. Weights are staged a few at a time; a thread of a product has 4 outputs × 8 points.
template <int kWidth_, int kPoints_>
struct FloatTile : TileBase<kWidth_, kPoints_, float> {
  using Base = TileBase<kWidth_, kPoints_, float>;
  using Base::kHidden, Base::kPoints, Base::kRow, Base::kThreads, Base::kWeightRow, Base::kWidth;
  static constexpr int kDepth = 16;         ///< of the weights staged at a time
  static constexpr int kGradientRows = 32;  ///< inputs staged at a time for their weights' gradient
  static constexpr int kStage = kDepth * (kWeightRow + kRow) > kGradientRows* kRow ? kDepth*(kWeightRow + kRow)
                                                                                   : kGradientRows* kRow;

  /// Shared memory: the staged factors, a number per thread, then hidden layers.
  static std::size_t shared_bytes(const MlpShape&, int hidden_layers) {
    return sizeof(float) * (kStage + kThreads + static_cast<std::size_t>(hidden_layers) * kHidden);
  }
  __device__ static float* stage(unsigned char* shared) { return reinterpret_cast<float*>(shared); }
  __device__ static float* numbers(unsigned char* shared) { return stage(shared) + kStage; }
  __device__ static float* hidden(unsigned char* shared, const MlpShape&) { return numbers(shared) + kThreads; }

  /// What a block does before its first tile.
  __device__ static void prepare(const Network&, unsigned char*) {}
  /// Whether the stage still holds all inputs after the forward pass.
  __device__ static bool keeps_inputs(int) { return false; }

  /// C[o, p] = Σ_k W[first_out + o, k]·A[k, p], W a layer's weights, transposed on the way back, A the rows of `points`
  /// or, if `rows` is not null, those of a hidden layer. Then calls finish(o, p, c) with four points at a time;
  /// everyone has read A by then, so finish may write there.
  template <Direction kDirection, class Finish>
  __device__ static void product(const Network& net, int layer, int first_out, const float* rows, const Points& points,
                                 unsigned char* shared, Finish&& finish) {
    constexpr int kAcross = kPoints / 8;
    const int p = static_cast<int>(threadIdx.x) % kAcross * 4, o = static_cast<int>(threadIdx.x) / kAcross * 4;
    const MlpLayer at = mlp_layer(net.shape, layer);
    const int all = static_cast<int>(kDirection == Direction::forward ? at.inputs : at.outputs);
    float *const weights = stage(shared), *const staged_rows = weights + kDepth * kWeightRow;
    float sum[4][8] = {};
    for (int depth = 0; depth < all; depth += kDepth) {
      __syncthreads();
      stage_weights<kDirection>(at, net.parameters + at.weights, first_out, depth, weights);
      if (rows == nullptr) Base::stage_rows(points, depth, kDepth, staged_rows);
      __syncthreads();
      const float* a = rows == nullptr ? staged_rows : rows + depth * kRow;
#pragma unroll 8
      for (int k = 0; k < kDepth; ++k) {
        const float4 weight = load4(weights + k * kWeightRow + o), low = load4(a + k * kRow + p),
                     high = load4(a + k * kRow + kPoints / 2 + p);
        const float ws[4] = {weight.x, weight.y, weight.z, weight.w};
        const float as[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
#pragma unroll
        for (int i = 0; i < 4; ++i)
#pragma unroll
          for (int j = 0; j < 8; ++j) sum[i][j] += ws[i] * as[j];
      }
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      finish(o + i, p, make_float4(sum[i][0], sum[i][1], sum[i][2], sum[i][3]));
      finish(o + i, p + kPoints / 2, make_float4(sum[i][4], sum[i][5], sum[i][6], sum[i][7]));
    }
  }

  /// Calls put(out, in, Σ_p grad[out, p]·rows[in, p]) for kGradientRows rows.
  template <class Put>
  __device__ static void weight_gradient(const float* grad, const float* rows, unsigned char*, Put&& put) {
    constexpr int kIn = 4, kAcross = kGradientRows / kIn, kDown = kThreads / kAcross, kOut = kWidth / kDown;
    const int in = static_cast<int>(threadIdx.x) % kAcross, out = static_cast<int>(threadIdx.x) / kAcross;
    float sum[kOut][kIn] = {};
#pragma unroll 2
    for (int p = 0; p < kPoints; p += 4) {
      float4 a[kIn];
#pragma unroll
      for (int i = 0; i < kIn; ++i) a[i] = load4(rows + (in + kAcross * i) * kRow + p);
#pragma unroll
      for (int o = 0; o < kOut; ++o) {
        const float4 g = load4(grad + (out + kDown * o) * kRow + p);
#pragma unroll
        for (int i = 0; i < kIn; ++i) sum[o][i] += g.x * a[i].x + g.y * a[i].y + g.z * a[i].z + g.w * a[i].w;
      }
    }
#pragma unroll
    for (int o = 0; o < kOut; ++o)
#pragma unroll
      for (int i = 0; i < kIn; ++i) put(out + kDown * o, in + kAcross * i, sum[o][i]);
  }

 protected:
  /// Weights of outputs [out, out + kWidth) and depths [depth, depth + kDepth), zero where there are none.
  template <Direction kDirection>
  __device__ static void stage_weights(const MlpLayer& layer, const float* weights, int out, int depth, float* to) {
    constexpr bool kForward = kDirection == Direction::forward;
    const int ins = static_cast<int>(layer.inputs), outs = static_cast<int>(layer.outputs);
    for (int i = static_cast<int>(threadIdx.x); i < kDepth * kWidth; i += kThreads) {
      // Neighbouring threads read along a row of the layer's weights.
      const int k = kForward ? i % kDepth : i / kWidth, o = kForward ? i / kDepth : i % kWidth;
      const int row = kForward ? out + o : depth + k, column = kForward ? depth + k : out + o;
      to[k * kWeightRow + o] = row < outs && column < ins ? weights[row * ins + column] : 0.0f;
    }
  }
};

}  // namespace dsasrgs::cuda
