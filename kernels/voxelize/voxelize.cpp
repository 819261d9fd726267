// SPDX-License-Identifier: Apache-2.0
#include "voxelize/voxelize.hpp"

#include "common/checks.hpp"
#include "common/has_cuda.hpp"
#include "voxelize/voxelize_bodies.hpp"

namespace dsasrgs {
namespace {

/// Number of voxels.
std::size_t check_input(const char* op, const VoxelizeInput& in) {
  require_cloud(op, in.gaussians);
  require_size(op, "density", in.gaussians.size(), in.density.size());
  return require_grid(op, in.grid);
}

}  // namespace

void voxelize_forward(Context& ctx, const VoxelizeInput& in, View<float> volume) {
  constexpr const char* kOp = "voxelize_forward";
  require_size(kOp, "volume", check_input(kOp, in), volume.size());
  if (in.gaussians.size() == 0) return zero_bytes(ctx, volume.data(), volume.size() * sizeof(float));
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::voxelize_forward(ctx, in, volume);
  cpu::voxelize_forward(ctx, in, volume);
}

void voxelize_backward(Context& ctx, const VoxelizeInput& in, View<const float> grad_volume, GradientMode mode,
                       const GaussianGradient& grad) {
  constexpr const char* kOp = "voxelize_backward";
  require_size(kOp, "grad_volume", check_input(kOp, in), grad_volume.size());
  const std::size_t n = in.gaussians.size();
  require_gradient(kOp, grad, n);
  if (n == 0) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::voxelize_backward(ctx, in, grad_volume, mode, grad);
  cpu::voxelize_backward(ctx, in, grad_volume, mode, grad);
}

}  // namespace dsasrgs
