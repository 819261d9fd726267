// SPDX-License-Identifier: Apache-2.0
#pragma once
// How far contrast travels through the vessel voxels of a volume.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

/// The voxels of a vessel mask and the path length to each.
struct VesselPaths {
  std::vector<std::size_t> voxel;      ///< [n] index into the volume, ascending
  std::vector<double> path_length_mm;  ///< [n]
};

/// Geodesic distance (26 neighbours) of every voxel where is_vessel [z,y,x] is not zero from the inlet: the lowest
/// layer (smallest z) of the largest connected part. A part that is not connected to it begins, in its own lowest
/// layer, at the straight distance from the inlet's centre.
VesselPaths vessel_paths(const std::vector<std::uint8_t>& is_vessel, const VolumeGrid& grid);

}  // namespace dsasrgs
