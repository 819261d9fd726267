#include "voxelize/voxelize.hpp"

#include <cmath>
#include <string>

#include "common/has_cuda.hpp"
#include "common/require.hpp"
#include "voxelize/voxelize_bodies.hpp"

namespace dsasrgs {
namespace {

void require_input(const char* op, const VoxelizeInput& in) {
  const std::size_t n = in.gaussians.size();
  require_size(op, "position_mm", 3 * n, in.gaussians.position_mm.size());
  require_size(op, "raw_scale", 3 * n, in.gaussians.raw_scale.size());
  require_size(op, "rotation", 4 * n, in.gaussians.rotation.size());
  require_size(op, "density", n, in.density.size());
  const VolumeGrid& grid = in.grid;
  require(grid.size_x > 0 && grid.size_y > 0 && grid.size_z > 0, op,
          "grid: expected at least one voxel per side, found " + std::to_string(grid.size_x) + " x " +
              std::to_string(grid.size_y) + " x " + std::to_string(grid.size_z));
  const auto positive = [](double v) { return v > 0 && std::isfinite(v); };
  require(positive(grid.spacing_mm.x) && positive(grid.spacing_mm.y) && positive(grid.spacing_mm.z), op,
          "grid.spacing_mm: expected positive lengths, found " + std::to_string(grid.spacing_mm.x) + ", " +
              std::to_string(grid.spacing_mm.y) + ", " + std::to_string(grid.spacing_mm.z));
  require(n == 0 || (in.gaussians.bounds.min_mm >= 0 && in.gaussians.bounds.max_mm > in.gaussians.bounds.min_mm), op,
          "bounds: expected 0 <= min_mm < max_mm, found " + std::to_string(in.gaussians.bounds.min_mm) + ", " +
              std::to_string(in.gaussians.bounds.max_mm));
}

}  // namespace

void voxelize_forward(Context& ctx, const VoxelizeInput& in, View<float> volume) {
  constexpr const char* op = "voxelize_forward";
  require_input(op, in);
  require_size(op, "volume", in.grid.num_voxels(), volume.size());
  if (in.gaussians.size() == 0) return zero_bytes(ctx, volume.data(), volume.size() * sizeof(float));
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::voxelize_forward(ctx, in, volume);
  cpu::voxelize_forward(ctx, in, volume);
}

void voxelize_backward(Context& ctx, const VoxelizeInput& in, View<const float> grad_volume, GradientMode mode,
                       const GaussianGradient& grad) {
  constexpr const char* op = "voxelize_backward";
  require_input(op, in);
  const std::size_t n = in.gaussians.size();
  require_size(op, "grad_volume", in.grid.num_voxels(), grad_volume.size());
  require_size(op, "grad.position_mm", 3 * n, grad.position_mm.size());
  require_size(op, "grad.raw_scale", 3 * n, grad.raw_scale.size());
  require_size(op, "grad.rotation", 4 * n, grad.rotation.size());
  require_size(op, "grad.density", n, grad.density.size());
  if (n == 0) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::voxelize_backward(ctx, in, grad_volume, mode, grad);
  cpu::voxelize_backward(ctx, in, grad_volume, mode, grad);
}

}  // namespace dsasrgs
