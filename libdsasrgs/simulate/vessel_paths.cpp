// SPDX-License-Identifier: Apache-2.0
// Geodesic distances through vessel voxels.
#include "simulate/vessel_paths.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <queue>
#include <utility>

namespace dsasrgs {

namespace {

struct Step {
  int dx, dy, dz;
  double length_mm;
};

std::vector<Step> steps_to_neighbours(Vec3d spacing) {
  std::vector<Step> steps;
  for (int dz = -1; dz <= 1; ++dz)
    for (int dy = -1; dy <= 1; ++dy)
      for (int dx = -1; dx <= 1; ++dx)
        if (dx != 0 || dy != 0 || dz != 0)
          steps.push_back({dx, dy, dz, length(Vec3d{dx * spacing.x, dy * spacing.y, dz * spacing.z})});
  return steps;
}

/// Vessel voxels as a graph: vertices are positions in `voxel`.
class VesselGraph {
 public:
  VesselGraph(const std::vector<std::uint8_t>& is_vessel, const VolumeGrid& grid)
      : grid_(grid), steps_(steps_to_neighbours(grid.spacing_mm)), vertex_(is_vessel.size(), -1) {
    for (std::size_t i = 0; i < is_vessel.size(); ++i)
      if (is_vessel[i] != 0) {
        vertex_[i] = static_cast<std::int64_t>(voxel_.size());
        voxel_.push_back(i);
      }
  }

  std::size_t size() const { return voxel_.size(); }
  std::size_t layer(std::size_t vertex) const { return voxel_[vertex] / layer_size(); }
  Vec3d center_mm(std::size_t vertex) const {
    const std::size_t i = voxel_[vertex], width = static_cast<std::size_t>(grid_.size_x);
    return grid_.center_mm(static_cast<int>(i % width), static_cast<int>(i % layer_size() / width),
                           static_cast<int>(layer(vertex)));
  }

  /// visit(neighbour vertex, distance)
  template <class Visit>
  void for_each_neighbour(std::size_t vertex, Visit&& visit) const {
    const std::size_t i = voxel_[vertex], width = static_cast<std::size_t>(grid_.size_x);
    const int x = static_cast<int>(i % width), y = static_cast<int>(i % layer_size() / width);
    const int z = static_cast<int>(i / layer_size());
    for (const Step& s : steps_) {
      const int nx = x + s.dx, ny = y + s.dy, nz = z + s.dz;
      if (nx < 0 || ny < 0 || nz < 0 || nx >= grid_.size_x || ny >= grid_.size_y || nz >= grid_.size_z) continue;
      const std::int64_t neighbour = vertex_[static_cast<std::size_t>(nz) * layer_size() +
                                             static_cast<std::size_t>(ny) * width + static_cast<std::size_t>(nx)];
      if (neighbour >= 0) visit(static_cast<std::size_t>(neighbour), s.length_mm);
    }
  }

  std::vector<std::size_t> take_voxels() { return std::move(voxel_); }

 private:
  std::size_t layer_size() const {
    return static_cast<std::size_t>(grid_.size_x) * static_cast<std::size_t>(grid_.size_y);
  }

  VolumeGrid grid_;
  std::vector<Step> steps_;
  std::vector<std::int64_t> vertex_;  ///< of every voxel; −1 outside vessels
  std::vector<std::size_t> voxel_;
};

/// Connected parts, each its vertices in ascending order of the volume's index (so by layer first).
std::vector<std::vector<std::size_t>> connected_parts(const VesselGraph& graph) {
  std::vector<int> part(graph.size(), -1);
  std::vector<std::size_t> pending;
  int num_parts = 0;
  for (std::size_t seed = 0; seed < graph.size(); ++seed) {
    if (part[seed] >= 0) continue;
    part[seed] = num_parts;
    pending.assign(1, seed);
    while (!pending.empty()) {
      const std::size_t v = pending.back();
      pending.pop_back();
      graph.for_each_neighbour(v, [&](std::size_t n, double) {
        if (part[n] >= 0) return;
        part[n] = num_parts;
        pending.push_back(n);
      });
    }
    ++num_parts;
  }
  std::vector<std::vector<std::size_t>> parts(num_parts);
  for (std::size_t v = 0; v < graph.size(); ++v) parts[part[v]].push_back(v);
  return parts;
}

}  // namespace

VesselPaths vessel_paths(const std::vector<std::uint8_t>& is_vessel, const VolumeGrid& grid) {
  VesselGraph graph(is_vessel, grid);
  VesselPaths paths;
  paths.path_length_mm.assign(graph.size(), std::numeric_limits<double>::infinity());
  if (graph.size() == 0) return paths;
  const std::vector<std::vector<std::size_t>> parts = connected_parts(graph);
  const auto* largest = &parts.front();
  for (const auto& part : parts)
    if (part.size() > largest->size()) largest = &part;

  using Reached = std::pair<double, std::size_t>;
  std::priority_queue<Reached, std::vector<Reached>, std::greater<>> front;
  Vec3d inlet_center;
  double num_inlet_voxels = 0;
  for (const std::size_t v : *largest) {
    if (graph.layer(v) != graph.layer(largest->front())) break;
    inlet_center += graph.center_mm(v);
    ++num_inlet_voxels;
  }
  inlet_center = inlet_center / num_inlet_voxels;
  for (const auto& part : parts)
    for (const std::size_t v : part) {
      if (graph.layer(v) != graph.layer(part.front())) break;
      const double start = &part == largest ? 0 : length(graph.center_mm(v) - inlet_center);
      paths.path_length_mm[v] = start;
      front.push({start, v});
    }
  while (!front.empty()) {
    const auto [path, v] = front.top();
    front.pop();
    if (path > paths.path_length_mm[v]) continue;
    graph.for_each_neighbour(v, [&, from = path](std::size_t n, double step_mm) {
      if (from + step_mm >= paths.path_length_mm[n]) return;
      paths.path_length_mm[n] = from + step_mm;
      front.push({from + step_mm, n});
    });
  }
  paths.voxel = graph.take_voxels();
  return paths;
}

}  // namespace dsasrgs
