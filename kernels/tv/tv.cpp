#include "tv/tv.hpp"

#include <string>

#include "common/has_cuda.hpp"
#include "common/require.hpp"
#include "tv/tv_bodies.hpp"
#include "tv/tv_math.hpp"

namespace dsasrgs {
namespace {

VolumeSize checked_size(const char* op, const VolumeGrid& grid, std::size_t volume_voxels) {
  require(grid.size_x > 0 && grid.size_y > 0 && grid.size_z > 0, op,
          "grid: expected at least 1 x 1 x 1 voxels, found " + std::to_string(grid.size_x) + " x " +
              std::to_string(grid.size_y) + " x " + std::to_string(grid.size_z));
  require_size(op, "volume", grid.num_voxels(), volume_voxels);
  return volume_size(grid);
}

}  // namespace

void total_variation_forward(Context& ctx, const VolumeGrid& grid, View<const float> volume,
                             TotalVariationSaved& saved) {
  const VolumeSize size = checked_size("total_variation_forward", grid, volume.size());
  if (saved.value.size() == 0) saved.value = Buffer<float>(ctx, 1);
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::total_variation_forward(ctx, size, volume, saved);
  cpu::total_variation_forward(ctx, size, volume, saved);
}

float total_variation_value(Context& ctx, const TotalVariationSaved& saved) {
  require(saved.value.size() == 1, "total_variation_value", "saved: expected the result of a forward pass, found none");
  return saved.value.to_host(ctx)[0];
}

void total_variation_backward(Context& ctx, const VolumeGrid& grid, View<const float> volume, float weight,
                              GradientMode mode, View<float> grad_volume) {
  constexpr const char* op = "total_variation_backward";
  const VolumeSize size = checked_size(op, grid, volume.size());
  require_size(op, "grad_volume", volume.size(), grad_volume.size());
  const auto factor = static_cast<float>(static_cast<double>(weight) * per_difference(size));
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda)
      return cuda::total_variation_backward(ctx, size, volume, factor, mode, grad_volume);
  cpu::total_variation_backward(ctx, size, volume, factor, mode, grad_volume);
}

}  // namespace dsasrgs
