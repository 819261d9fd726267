#include "train/volume_variation.hpp"

#include <algorithm>

#include "common/random.hpp"
#include "tv/tv.hpp"
#include "voxelize/voxelize.hpp"

namespace dsasrgs {

VolumeGrid variation_block(const VolumeGrid& volume, int side, std::int64_t seed, int step) {
  const auto words = random_words(static_cast<std::uint64_t>(seed), RandomStream::variation_block,
                                  static_cast<std::uint64_t>(step), 0);
  const auto first = [&](int size, std::uint32_t word) {
    const auto positions = static_cast<std::uint64_t>(std::max(size - side, 0)) + 1;
    return static_cast<double>((word * positions) >> 32);
  };
  const Vec3d h = volume.spacing_mm;
  return {std::min(volume.size_x, side), std::min(volume.size_y, side), std::min(volume.size_z, side), h,
          volume.origin_mm + Vec3d{first(volume.size_x, words[0]) * h.x, first(volume.size_y, words[1]) * h.y,
                                   first(volume.size_z, words[2]) * h.z}};
}

void VolumeVariation::add_gradient(Context& ctx, const GaussianView& gaussians, View<const float> density, int step,
                                   CloudGradient& gradient) {
  const VolumeGrid block = variation_block(volume_, config_.tv_block, config_.seed, step);
  const VoxelizeInput input{gaussians, density, block};
  resize(ctx, block_, block.num_voxels());
  resize(ctx, grad_block_, block.num_voxels());
  voxelize_forward(ctx, input, block_);
  const auto weight = static_cast<float>(config_.tv_weight * volume_.largest_side_mm() / 2);
  total_variation_backward(ctx, block, block_, weight, GradientMode::overwrite, grad_block_);
  voxelize_backward(ctx, input, grad_block_, GradientMode::accumulate,
                    {gradient.position_mm, gradient.raw_scale, gradient.rotation, gradient.density});
}

}  // namespace dsasrgs
