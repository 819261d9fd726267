#include <algorithm>

#include "common/launch.cuh"
#include "reduce/reduce_cuda.hpp"
#include "reduce/reduce_math.hpp"

namespace dsasrgs::cuda {

namespace {

constexpr unsigned kThreads = 256;
/// Blocks of the first level, at most; the second is one block. The cut depends on the size alone.
constexpr std::size_t kMostBlocks = 1024;
constexpr std::size_t kSharedBytes = kThreads * sizeof(ImageStatistics);

/// Sums what the block's threads hold, in a tree of fixed shape; the result is the first thread's.
__device__ ImageStatistics sum_over_block(const ImageStatistics& mine) {
  ImageStatistics* shared = dynamic_shared<ImageStatistics>();
  shared[threadIdx.x] = mine;
  for (unsigned half = kThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) add_statistics(shared[threadIdx.x + half], shared[threadIdx.x]);
  }
  return shared[threadIdx.x];
}

__global__ void __launch_bounds__(kThreads)
    sum_pixels(const float* rendered, const float* reference, const std::uint8_t* valid, ImageStatistics* partial,
               std::size_t n) {
  ImageStatistics mine;
  for (std::size_t i = thread_index(); i < n; i += std::size_t{gridDim.x} * kThreads)
    if (valid == nullptr || valid[i] != 0) add_pixel(rendered[i], reference[i], mine);
  const ImageStatistics sum = sum_over_block(mine);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

__global__ void __launch_bounds__(kThreads)
    sum_partials(const ImageStatistics* partial, ImageStatistics* result, std::size_t n) {
  ImageStatistics mine;
  for (std::size_t i = threadIdx.x; i < n; i += kThreads) add_statistics(partial[i], mine);
  const ImageStatistics sum = sum_over_block(mine);
  if (threadIdx.x == 0) *result = sum;
}

}  // namespace

ImageStatistics image_statistics(Context& ctx, View<const float> rendered, View<const float> reference,
                                 View<const std::uint8_t> valid) {
  const std::size_t n = rendered.size();
  const std::size_t num_blocks = std::min(kMostBlocks, (n + kThreads - 1) / kThreads);
  Buffer<ImageStatistics> partial(ctx, num_blocks), result(ctx, 1);
  launch(ctx, "image_statistics_pixels", one_block_each(num_blocks, kThreads, kSharedBytes), sum_pixels,
         rendered.data(), reference.data(), valid.empty() ? nullptr : valid.data(), partial.data(), n);
  launch(ctx, "image_statistics_partials", one_block_each(1, kThreads, kSharedBytes), sum_partials, partial.data(),
         result.data(), num_blocks);
  return result.to_host(ctx)[0];
}

}  // namespace dsasrgs::cuda
