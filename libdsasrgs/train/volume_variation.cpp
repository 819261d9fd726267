// SPDX-License-Identifier: Apache-2.0
#include "train/volume_variation.hpp"

#include <algorithm>

#include "common/random.hpp"
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
                                   ModelGradient& gradient) {
  const VolumeGrid block = variation_block(volume_, config_.tv_block, config_.seed, step);
  const VoxelizeInput input{gaussians, density, block};
  block_.resize(ctx, block.num_voxels());
  grad_block_.resize(ctx, block.num_voxels());
  voxelize_forward(ctx, input, block_);
  total_variation_forward(ctx, block, block_, saved_);
  total_variation_backward(ctx, block, block_, static_cast<float>(weight_mm()), GradientMode::overwrite, grad_block_);
  voxelize_backward(
      ctx, input, grad_block_, GradientMode::accumulate,
      {gradient[Parameter::position], gradient[Parameter::raw_scale], gradient[Parameter::rotation], gradient.density});
}

}  // namespace dsasrgs
