// SPDX-License-Identifier: Apache-2.0
#include "common/block_sum.cuh"
#include "common/store.cuh"
#include "tv/tv_bodies.hpp"
#include "tv/tv_math.hpp"

namespace dsasrgs::cuda {

namespace {

__global__ void __launch_bounds__(kSumThreads)
    total_variation_kernel(VolumeSize size, const float* volume, float* partial) {
  float sum[1] = {0.0f};
  const std::size_t voxels = size.voxels();
  for (std::size_t i = thread_index(); i < voxels; i += std::size_t{gridDim.x} * kSumThreads)
    sum[0] += forward_variation(volume, size, i);
  store_part(sum, partial);
}

__global__ void total_variation_backward_kernel(VolumeSize size, const float* volume, float factor, GradientMode mode,
                                                float* grad) {
  const std::size_t i = thread_index();
  if (i >= size.voxels()) return;
  // Rounded before it is added, as on the CPU.
  store(grad[i], __fmul_rn(factor, static_cast<float>(variation_derivative(volume, size, i))), mode);
}

}  // namespace

void total_variation_forward(Context& ctx, const VolumeSize& size, View<const float> volume,
                             TotalVariationSaved& saved) {
  const Grid grid = sum_grid(volume.size());
  float* partial = sum_parts_memory<1>(ctx, saved.partial);
  launch(ctx, "total_variation_forward", grid, total_variation_kernel, size, volume.data(), partial);
  sum_parts<1>(ctx, "total_variation_forward (sum)", grid, partial, static_cast<float>(per_difference(size)), false,
               saved.value.data());
}

void total_variation_backward(Context& ctx, const VolumeSize& size, View<const float> volume, float factor,
                              GradientMode mode, View<float> grad_volume) {
  launch(ctx, "total_variation_backward", one_thread_each(volume.size()), total_variation_backward_kernel, size,
         volume.data(), factor, mode, grad_volume.data());
}

}  // namespace dsasrgs::cuda
