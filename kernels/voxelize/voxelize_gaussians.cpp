// SPDX-License-Identifier: Apache-2.0
#include "voxelize/voxelize_gaussians.hpp"

#include "common/host_vector.hpp"
#include "common/parallel.hpp"

namespace dsasrgs::cpu {
namespace {

/// Gaussians per task.
constexpr std::size_t kBlock = 256;
/// Voxels per brick along x, y and z; the last is a slab.
constexpr int kBrick_x = 32, kBrick_y = 16;

/// The Gaussian in voxel units; its range of slices is empty when its box misses every voxel centre or it is not
/// finite.
VoxelGaussian voxel_gaussian(const VoxelizeInput& in, std::size_t i) {
  const PlacedGaussian k = place_gaussian(in.grid, in.gaussians.bounds, raw_gaussian(in.gaussians, i), kCutoff);
  if (!k.seen) return {};
  const Mat3<double>& u = k.whitening;
  const auto f = [](double v) { return static_cast<float>(v); };
  return {f(u.r0.x),     f(u.r0.y),     f(u.r0.z),     f(u.r1.y),
          f(u.r1.z),     f(u.r2.z),     f(1 / u.r0.x), f(k.x.offset),
          f(k.y.offset), f(k.z.offset), k.x.anchor,    k.y.anchor,
          k.z.anchor,    k.z.begin,     k.z.end,       static_cast<std::uint32_t>(i)};
}

}  // namespace

HostVector<VoxelGaussian> sorted_gaussians(const Context& ctx, const VoxelizeInput& in) {
  HostVector<VoxelGaussian> gaussians(in.gaussians.size());
  parallel_blocks(ctx, gaussians.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) gaussians[i] = voxel_gaussian(in, i);
  });
  const std::size_t bricks_x = static_cast<std::size_t>((in.grid.size_x + kBrick_x - 1) / kBrick_x);
  const std::size_t bricks_y = static_cast<std::size_t>((in.grid.size_y + kBrick_y - 1) / kBrick_y);
  const std::size_t bricks_z = static_cast<std::size_t>((in.grid.size_z + kSlab - 1) / kSlab);
  const auto brick = [&](const VoxelGaussian& k) {
    return (static_cast<std::size_t>(k.anchor_z / kSlab) * bricks_y + static_cast<std::size_t>(k.anchor_y / kBrick_y)) *
               bricks_x +
           static_cast<std::size_t>(k.anchor_x / kBrick_x);
  };
  HostVector<std::size_t> next(bricks_x * bricks_y * bricks_z + 1, 0);
  for (const VoxelGaussian& k : gaussians)
    if (k.z_begin < k.z_end) ++next[brick(k) + 1];
  for (std::size_t b = 1; b < next.size(); ++b) next[b] += next[b - 1];
  HostVector<VoxelGaussian> sorted(next.back());
  for (const VoxelGaussian& k : gaussians)
    if (k.z_begin < k.z_end) sorted[next[brick(k)]++] = k;
  return sorted;
}

SlabLists bin_by_slab(const HostVector<VoxelGaussian>& gaussians, View<const float> density, int size_z) {
  SlabLists bins;
  bins.begin.assign(static_cast<std::size_t>((size_z + kSlab - 1) / kSlab) + 1, 0);
  for (const VoxelGaussian& k : gaussians)
    if (density[k.index] != 0)
      for (int s = k.z_begin / kSlab; s <= (k.z_end - 1) / kSlab; ++s) ++bins.begin[s + 1];
  for (std::size_t s = 1; s < bins.begin.size(); ++s) bins.begin[s] += bins.begin[s - 1];
  bins.list.resize(bins.begin.back());
  HostVector<std::size_t> next(bins.begin.begin(), bins.begin.end() - 1);
  for (std::size_t i = 0; i < gaussians.size(); ++i)
    if (density[gaussians[i].index] != 0)
      for (int s = gaussians[i].z_begin / kSlab; s <= (gaussians[i].z_end - 1) / kSlab; ++s)
        bins.list[next[s]++] = static_cast<std::uint32_t>(i);
  return bins;
}

}  // namespace dsasrgs::cpu
