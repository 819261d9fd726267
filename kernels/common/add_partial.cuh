// SPDX-License-Identifier: Apache-2.0
#pragma once
// Gradients of parameters whose sum is spread over blocks: each leaves a set of partial sums, and these are added up.

#include "common/launch.cuh"

namespace dsasrgs::cuda {

inline constexpr unsigned kSumParameters = 32;

/// gradient [parameters] += Σ of the sets, `stride` numbers from one to the next: kSumSets threads per parameter add
/// every kSumSets-th set, then one adds theirs. The order is fixed.
template <unsigned kSumSets>
__global__ void __launch_bounds__(kSumParameters* kSumSets)
    add_partial_kernel(const float* partial, std::size_t parameters, std::size_t stride, unsigned num_sets,
                       float* gradient) {
  __shared__ float sums[kSumSets][kSumParameters];
  const unsigned column = threadIdx.x % kSumParameters, first = threadIdx.x / kSumParameters;
  const std::size_t i = std::size_t{blockIdx.x} * kSumParameters + column;
  float sum = 0;
  if (i < parameters)
    for (unsigned set = first; set < num_sets; set += kSumSets) sum += partial[set * stride + i];
  sums[first][column] = sum;
  __syncthreads();
  if (first != 0 || i >= parameters) return;
  for (unsigned p = 1; p < kSumSets; ++p) sum += sums[p][column];
  gradient[i] += sum;
}

inline void add_partial(const Context& ctx, const char* name, const float* partial, std::size_t parameters,
                        std::size_t stride, std::size_t num_sets, float* gradient) {
  constexpr unsigned kSumSets = 16;
  launch(ctx, name, one_block_each((parameters + kSumParameters - 1) / kSumParameters, kSumParameters * kSumSets),
         add_partial_kernel<kSumSets>, partial, parameters, stride, static_cast<unsigned>(num_sets), gradient);
}

}  // namespace dsasrgs::cuda
