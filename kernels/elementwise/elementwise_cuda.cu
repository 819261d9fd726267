// SPDX-License-Identifier: Apache-2.0
#include "common/block_sum.cuh"
#include "common/last_block.cuh"
#include "elementwise/elementwise_bodies.hpp"
#include "elementwise/elementwise_math.hpp"

namespace dsasrgs::cuda {

namespace {

__global__ void affine_values_kernel(float gain, float offset, View<const float> in, float* out) {
  const std::size_t i = thread_index();
  if (i < in.size()) out[i] = affine(gain, offset, in.data()[i]);
}

__global__ void add_scaled_kernel(float factor, View<const float> in, float* out) {
  const std::size_t i = thread_index();
  if (i < in.size()) out[i] = affine(factor, out[i], in.data()[i]);
}

__global__ void add_product_kernel(View<const float> a, const float* b, float* out) {
  const std::size_t i = thread_index();
  if (i < a.size()) out[i] = affine(a.data()[i], out[i], b[i]);
}

/// This block's part; one block adds the parts.
__global__ void __launch_bounds__(kSumThreads) partial_sums_kernel(View<const float> a, const float* b, Sums* partial) {
  double sum[2] = {0, 0};
  for (std::size_t i = thread_index(); i < a.size(); i += std::size_t{kSumBlocks} * kSumThreads)
    add_terms(a.data()[i], b[i], sum[0], sum[1]);
  sum_over_block(sum);
  if (threadIdx.x == 0) partial[blockIdx.x] = {sum[0], sum[1]};
}
__global__ void __launch_bounds__(kSumThreads) total_sums_kernel(const Sums* partial, Sums* total) {
  static_assert(kSumBlocks == kSumThreads);
  double sum[2] = {partial[threadIdx.x].sum, partial[threadIdx.x].product};
  sum_over_block(sum);
  if (threadIdx.x == 0) *total = {sum[0], sum[1]};
}

/// One block counts; it is called once per view of a run.
__global__ void __launch_bounds__(kSumThreads)
    count_valid_kernel(View<const std::uint8_t> valid, unsigned long long* count) {
  unsigned long long mine[1] = {0};
  for (std::size_t i = threadIdx.x; i < valid.size(); i += kSumThreads) mine[0] += valid.data()[i] != 0;
  sum_over_block(mine);
  if (threadIdx.x == 0) *count = mine[0];
}

constexpr unsigned kWatchingBlocks = 64, kWatchingThreads = 256;

/// A row of blocks for every array. scratch [2]: the bits so far, and a counter.
__global__ void find_non_finite_kernel(WatchedArrays arrays, std::uint32_t* scratch, std::uint32_t* found) {
  const View<const float> array = arrays[blockIdx.y];
  std::uint32_t any = 0;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < array.size();
       i += std::size_t{gridDim.x} * blockDim.x)
    any |= is_non_finite(array.data()[i]);
  if (any != 0) atomicOr(scratch, std::uint32_t{1} << blockIdx.y);
  if (is_last_block(scratch + 1, gridDim.x * gridDim.y) && threadIdx.x == 0) *found = atomicExch(scratch, 0u);
}

}  // namespace

void affine_values(Context& ctx, float gain, float offset, View<const float> in, View<float> out) {
  launch(ctx, "affine_values", one_thread_each(in.size()), affine_values_kernel, gain, offset, in, out.data());
}

void add_scaled(Context& ctx, float factor, View<const float> in, View<float> out) {
  launch(ctx, "add_scaled", one_thread_each(in.size()), add_scaled_kernel, factor, in, out.data());
}

void add_product(Context& ctx, View<const float> a, View<const float> b, View<float> out) {
  launch(ctx, "add_product", one_thread_each(a.size()), add_product_kernel, a, b.data(), out.data());
}

Sums sum_and_product(Context& ctx, View<const float> a, View<const float> b) {
  Buffer<Sums> partial(ctx, kSumBlocks), total(ctx, 1);
  launch(ctx, "partial_sums", one_block_each(kSumBlocks, kSumThreads), partial_sums_kernel, a, b.data(),
         partial.data());
  launch(ctx, "total_sums", one_block_each(1, kSumThreads), total_sums_kernel, partial.data(), total.data());
  return total.to_host(ctx)[0];
}

std::size_t count_valid(Context& ctx, View<const std::uint8_t> valid) {
  Buffer<unsigned long long> count(ctx, 1);
  launch(ctx, "count_valid", one_block_each(1, kSumThreads), count_valid_kernel, valid, count.data());
  return count.to_host(ctx)[0];
}

void find_non_finite(Context& ctx, const WatchedArrays& arrays, NonFinite& result) {
  std::size_t largest = 1;
  for (const View<const float>& array : arrays) largest = array.size() > largest ? array.size() : largest;
  Grid grid = one_thread_each(largest, kWatchingThreads);
  grid.blocks.x = grid.blocks.x < kWatchingBlocks ? grid.blocks.x : kWatchingBlocks;
  grid.blocks.y = static_cast<unsigned>(arrays.size());
  launch(ctx, "find_non_finite", grid, find_non_finite_kernel, arrays, result.scratch.data(), result.found.data());
}

}  // namespace dsasrgs::cuda
