#include "evaluate/marching_cubes.hpp"

#include <cstddef>
#include <span>

namespace dsasrgs {

std::vector<Vec3d> isosurface_vertices(std::span<const float> volume, const VolumeGrid& grid, double threshold) {
  const std::size_t step_y = static_cast<std::size_t>(grid.size_x);
  const std::size_t step_z = step_y * static_cast<std::size_t>(grid.size_y);
  std::vector<Vec3d> vertices;
  std::size_t at = 0;
  for (int k = 0; k < grid.size_z; ++k)
    for (int j = 0; j < grid.size_y; ++j)
      for (int i = 0; i < grid.size_x; ++i, ++at) {
        const double value = static_cast<double>(volume[at]);
        const auto cross_edge = [&](std::size_t neighbour, Vec3d edge_mm) {
          const double other = static_cast<double>(volume[neighbour]);
          if ((value > threshold) == (other > threshold)) return;
          vertices.push_back(grid.center_mm(i, j, k) + edge_mm * ((threshold - value) / (other - value)));
        };
        if (i + 1 < grid.size_x) cross_edge(at + 1, {grid.spacing_mm.x, 0, 0});
        if (j + 1 < grid.size_y) cross_edge(at + step_y, {0, grid.spacing_mm.y, 0});
        if (k + 1 < grid.size_z) cross_edge(at + step_z, {0, 0, grid.spacing_mm.z});
      }
  return vertices;
}

}  // namespace dsasrgs
