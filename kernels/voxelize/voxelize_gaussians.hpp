// SPDX-License-Identifier: Apache-2.0
#pragma once
// The voxeliser's CPU set-up: Gaussians in voxel units, sorted by brick of the grid and binned by slab of z.

#include <cstdint>

#include "common/host_vector.hpp"
#include "voxelize/voxelize_setup.hpp"

namespace dsasrgs::cpu {

/// Slices of z per task.
constexpr int kSlab = 8;
/// A Gaussian in units of voxels, see PlacedGaussian.
struct VoxelGaussian {
  float u00, u01, u02, u11, u12, u22;
  float inv_u00;
  float offset_x, offset_y, offset_z;
  std::int32_t anchor_x, anchor_y, anchor_z;
  std::int32_t z_begin, z_end;  ///< slices it can touch; empty when it misses the grid
  std::uint32_t index;          ///< in the cloud
};

/// The Gaussians that reach the grid, sorted by the brick of their centre (stable counting sort).
HostVector<VoxelGaussian> sorted_gaussians(const Context&, const VoxelizeInput&);

/// Sorted Gaussians of every slab, in order; those without density are left out.
struct SlabLists {
  HostVector<std::size_t> begin;   ///< slab s has list[begin[s]] … list[begin[s + 1] − 1]
  HostVector<std::uint32_t> list;  ///< positions in the sorted Gaussians
};
SlabLists bin_by_slab(const HostVector<VoxelGaussian>&, View<const float> density, int size_z);

}  // namespace dsasrgs::cpu
