// SPDX-License-Identifier: Apache-2.0
#include "tv/tv.hpp"

#include "common/checks.hpp"
#include "common/has_cuda.hpp"
#include "tv/tv_bodies.hpp"
#include "tv/tv_math.hpp"

namespace dsasrgs {
namespace {

VolumeSize checked_size(const char* op, const VolumeGrid& grid, std::size_t volume_voxels) {
  require_size(op, "volume", require_voxels(op, grid), volume_voxels);
  return volume_size(grid);
}

}  // namespace

void total_variation_forward(Context& ctx, const VolumeGrid& grid, View<const float> volume,
                             TotalVariationSaved& saved) {
  const VolumeSize size = checked_size("total_variation_forward", grid, volume.size());
  saved.value.resize(ctx, 1);
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
  constexpr const char* kOp = "total_variation_backward";
  const VolumeSize size = checked_size(kOp, grid, volume.size());
  require_size(kOp, "grad_volume", volume.size(), grad_volume.size());
  const auto factor = static_cast<float>(static_cast<double>(weight) * per_difference(size));
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda)
      return cuda::total_variation_backward(ctx, size, volume, factor, mode, grad_volume);
  cpu::total_variation_backward(ctx, size, volume, factor, mode, grad_volume);
}

}  // namespace dsasrgs
