// SPDX-License-Identifier: Apache-2.0
#pragma once
// Vertices of the isosurface of a volume.

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

/// Calls f(axis, voxel within its slice, position in mm) for each crossing on the edges that lead from the voxels of
/// slice k in the direction of growing x, y (axis 0, 1) and, to slice k + 1, z (axis 2): where one of both voxel
/// centres is above the threshold and the other not, at the place where linear interpolation along the edge meets it.
/// In the order of voxels, then axes.
template <class F>
void for_each_crossing(std::span<const float> volume, const VolumeGrid& grid, double threshold, int k, const F& f) {
  const std::size_t step_y = static_cast<std::size_t>(grid.size_x);
  const std::size_t step_z = step_y * static_cast<std::size_t>(grid.size_y);
  const std::size_t slice = step_z * static_cast<std::size_t>(k);
  std::size_t in_slice = 0;
  for (int j = 0; j < grid.size_y; ++j)
    for (int i = 0; i < grid.size_x; ++i, ++in_slice) {
      const double value = static_cast<double>(volume[slice + in_slice]);
      const auto cross_edge = [&](int axis, std::size_t step, Vec3d edge_mm) {
        const double other = static_cast<double>(volume[slice + in_slice + step]);
        if ((value > threshold) == (other > threshold)) return;
        f(axis, in_slice, grid.center_mm(i, j, k) + edge_mm * ((threshold - value) / (other - value)));
      };
      if (i + 1 < grid.size_x) cross_edge(0, 1, {grid.spacing_mm.x, 0, 0});
      if (j + 1 < grid.size_y) cross_edge(1, step_y, {0, grid.spacing_mm.y, 0});
      if (k + 1 < grid.size_z) cross_edge(2, step_z, {0, 0, grid.spacing_mm.z});
    }
}

/// World positions [mm] of the vertices that marching cubes (Lorensen and Cline 1987) places on the surface
/// volume = threshold, those of extract_surface without its triangles, which no distance needs. Ordered by voxel, then
/// by axis. The volume [z,y,x] must be finite and of the grid's size. `after_slice` is called after each slice.
std::vector<Vec3d> isosurface_vertices(std::span<const float> volume, const VolumeGrid&, double threshold,
                                       const std::function<void()>& after_slice = {});

}  // namespace dsasrgs
