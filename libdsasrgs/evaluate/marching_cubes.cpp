// SPDX-License-Identifier: Apache-2.0
#include "evaluate/marching_cubes.hpp"

namespace dsasrgs {

std::vector<Vec3d> isosurface_vertices(std::span<const float> volume, const VolumeGrid& grid, double threshold,
                                       const std::function<void()>& after_slice) {
  std::vector<Vec3d> vertices;
  for (int k = 0; k < grid.size_z; ++k) {
    for_each_crossing(volume, grid, threshold, k,
                      [&](int, std::size_t, Vec3d position) { vertices.push_back(position); });
    if (after_slice) after_slice();
  }
  return vertices;
}

}  // namespace dsasrgs
