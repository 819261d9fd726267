// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sums over many elements. sum_over_block adds over a block, in any type; on top of it, sums that end in a few floats
// on the device, with no double precision and nobody waiting: each of at most kSumBlocks blocks leaves a part, and
// sum_parts adds the parts. The cut depends on the size alone and the order is fixed, so the bits are the same from run
// to run.

#include <algorithm>

#include "common/launch.cuh"
#include "dsasrgs/buffer.hpp"

namespace dsasrgs::cuda {

inline constexpr unsigned kSumThreads = 256, kSumBlocks = 256;

/// Blocks of kSumThreads threads for a sum over n elements: thread i takes i, i + all threads, …
inline Grid sum_grid(std::size_t n) {
  return one_block_each(std::min<std::size_t>(kSumBlocks, (n + kSumThreads - 1) / kSumThreads), kSumThreads);
}

/// Room for the parts of kCount sums; allocates the first time.
template <int kCount>
float* sum_parts_memory(Context& ctx, Buffer<float>& partial) {
  partial.resize(ctx, kSumBlocks * kCount);
  return partial.data();
}

/// Adds what the threads of a block of kSumThreads bring, in a fixed order; right in thread 0. Once per kernel.
template <class T, int kCount>
__device__ void sum_over_block(T (&v)[kCount]) {
  __shared__ T of_warp[kSumThreads / 32][kCount];
  for (int m = 0; m < kCount; ++m) v[m] = sum_over_lanes(v[m]);
  if (lane_index() == 0)
    for (int m = 0; m < kCount; ++m) of_warp[threadIdx.x / 32][m] = v[m];
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int m = 0; m < kCount; ++m) {
    v[m] = of_warp[0][m];
    for (unsigned w = 1; w < kSumThreads / 32; ++w) v[m] += of_warp[w][m];
  }
}

/// The last lines of a summing kernel: this block's part.
template <int kCount>
__device__ void store_part(float (&v)[kCount], float* partial) {
  sum_over_block(v);
  if (threadIdx.x == 0)
    for (int m = 0; m < kCount; ++m) partial[blockIdx.x * kCount + m] = v[m];
}

template <int kCount>
__global__ void __launch_bounds__(kSumThreads)
    sum_parts_kernel(const float* partial, unsigned parts, float factor, bool accumulate, float* sum) {
  static_assert(kSumBlocks == kSumThreads, "a thread per part");
  float v[kCount];
  for (int m = 0; m < kCount; ++m) v[m] = threadIdx.x < parts ? partial[threadIdx.x * kCount + m] : 0.0f;
  sum_over_block(v);
  if (threadIdx.x == 0)
    for (int m = 0; m < kCount; ++m) sum[m] = (accumulate ? sum[m] : 0.0f) + factor * v[m];
}

/// sum [kCount] ← or += factor · Σ of the parts of a grid; with no blocks the sum is 0.
template <int kCount>
void sum_parts(Context& ctx, const char* name, const Grid& grid, const float* partial, float factor, bool accumulate,
               float* sum) {
  launch(ctx, name, one_block_each(1, kSumThreads), sum_parts_kernel<kCount>, partial, grid.blocks.x, factor,
         accumulate, sum);
}

}  // namespace dsasrgs::cuda
