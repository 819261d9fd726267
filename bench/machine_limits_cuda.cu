// SPDX-License-Identifier: Apache-2.0
#include "common/launch.cuh"
#include "machine_limits.hpp"

namespace dsasrgs::bench::cuda {

using namespace dsasrgs::cuda;

namespace {

__global__ void copy_kernel(const float4* from, float4* to, std::size_t n) {
  for (std::size_t i = thread_index(); i < n; i += std::size_t{gridDim.x} * blockDim.x) to[i] = from[i];
}

constexpr int kChains = 8;

__global__ void fma_kernel(float* out, int rounds, float factor) {
  float chain[kChains];
#pragma unroll
  for (int c = 0; c < kChains; ++c) chain[c] = static_cast<float>(threadIdx.x + c);
  for (int r = 0; r < rounds; ++r)
#pragma unroll
    for (float& v : chain) v = fmaf(v, factor, 1.0f);
  float sum = 0;
#pragma unroll
  for (const float v : chain) sum += v;
  if (sum == -1.0f) out[0] = sum;  // never, but the compiler cannot know
}

constexpr int kAdds = 16;

/// Every lane adds to an entry of its own; neighbouring threads to entries far apart, as points of a hash grid do.
__global__ void add_apart_kernel(float* to, std::size_t n) {
  constexpr std::size_t kStride = 2654435761u;
  const std::size_t threads = std::size_t{gridDim.x} * blockDim.x;
  for (int i = 0; i < kAdds; ++i) atomicAdd(to + (thread_index() + i * threads) * kStride % n, 1.0f);
}

/// One entry for all; the lanes of a warp one after another.
__global__ void add_together_kernel(float* to) {
  for (int i = 0; i < kAdds; ++i) atomicAdd(to, 1.0f);
}

/// Blocks that fill any device.
constexpr unsigned kBlocks = 132 * 16, kThreads = 256;

}  // namespace

void copy(Context& ctx, const float* from, float* to, std::size_t n) {
  launch(ctx, "copy", {dim3(kBlocks), dim3(kThreads)}, copy_kernel, reinterpret_cast<const float4*>(from),
         reinterpret_cast<float4*>(to), n / 4);
}

double fma(Context& ctx, float* out, int rounds) {
  launch(ctx, "fma", {dim3(kBlocks), dim3(kThreads)}, fma_kernel, out, rounds, 0.999f);
  return 2.0 * kChains * rounds * double{kBlocks} * double{kThreads};
}

double add_apart(Context& ctx, float* to, std::size_t n) {
  launch(ctx, "add_apart", {dim3(kBlocks), dim3(kThreads)}, add_apart_kernel, to, n);
  return double{kAdds} * double{kBlocks} * double{kThreads};
}
double add_together(Context& ctx, float* to) {
  launch(ctx, "add_together", {dim3(kBlocks), dim3(kThreads)}, add_together_kernel, to);
  return double{kAdds} * double{kBlocks} * double{kThreads};
}

}  // namespace dsasrgs::bench::cuda
