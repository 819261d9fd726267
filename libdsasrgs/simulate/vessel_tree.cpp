// SPDX-License-Identifier: Apache-2.0
// Vessel trees: path lengths, smoothing, placing.
#include "simulate/vessel_tree.hpp"

#include <algorithm>
#include <string>

#include "common/checks.hpp"
#include "dsasrgs/buffer.hpp"

namespace dsasrgs {

void check_vessel_tree(const VesselTree& tree) {
  for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
    const VesselNode& node = tree.nodes[i];
    const bool ok = node.parent >= -1 && node.parent < static_cast<int>(i);
    if (ok && is_length(node.radius_mm) && is_position(node.position_mm)) continue;
    const std::string at = "node " + std::to_string(i) + ": ";
    require_field(ok, at + "parent", "-1 or an earlier node", node.parent);
    require_field(is_length(node.radius_mm), at + "radius_mm", "1e-6 to 1e9 mm", node.radius_mm);
    for (const double mm : {node.position_mm.x, node.position_mm.y, node.position_mm.z})
      require_field(is_position({mm, 0, 0}), at + "position_mm", "coordinates within 1e9 mm", mm);
  }
}

std::vector<int> num_children(const VesselTree& tree) {
  std::vector<int> count(tree.nodes.size());
  for (const VesselNode& node : tree.nodes)
    if (node.parent >= 0) ++count[node.parent];
  return count;
}

std::vector<double> VesselTree::path_length_mm() const try {
  check_vessel_tree(*this);
  std::vector<double> path(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (const int up = nodes[i].parent; up >= 0)
      path[i] = path[up] + length(nodes[i].position_mm - nodes[up].position_mm);
  return path;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

void smooth_vessels(VesselTree& tree, int passes) try {
  require_field(passes >= 0 && passes <= 10000, "passes", "0 to 10000", passes);
  check_vessel_tree(tree);
  const std::vector<int> children = num_children(tree);
  std::vector<int> child(tree.nodes.size(), -1);
  for (std::size_t i = 0; i < tree.nodes.size(); ++i)
    if (tree.nodes[i].parent >= 0) child[tree.nodes[i].parent] = static_cast<int>(i);
  for (int pass = 0; pass < passes; ++pass) {
    const std::vector<VesselNode> before = tree.nodes;
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (before[i].parent < 0 || children[i] != 1) continue;
      const VesselNode &up = before[before[i].parent], &down = before[child[i]];
      tree.nodes[i].position_mm = before[i].position_mm * 0.5 + (up.position_mm + down.position_mm) * 0.25;
      tree.nodes[i].radius_mm = before[i].radius_mm * 0.5 + (up.radius_mm + down.radius_mm) * 0.25;
    }
  }
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

void center_vessels(VesselTree& tree) {
  check_vessel_tree(tree);
  if (tree.nodes.empty()) return;
  Vec3d low = tree.nodes.front().position_mm, high = low;
  for (const VesselNode& node : tree.nodes) {
    const Vec3d p = node.position_mm;
    low = {std::min(low.x, p.x), std::min(low.y, p.y), std::min(low.z, p.z)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y), std::max(high.z, p.z)};
  }
  const Vec3d center = (low + high) * 0.5;
  for (VesselNode& node : tree.nodes) node.position_mm -= center;
}

void rotate_vessels(VesselTree& tree, const Mat3<double>& rotation) {
  const Mat3<double> transposed = rotation.transposed();
  const Vec3d e[3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  for (const Vec3d unit : e)
    require(length(rotation * (transposed * unit) - unit) < 1e-6, "rotate_vessels",
            "rotation: expected orthonormal rows");
  require(dot(rotation.r0, cross(rotation.r1, rotation.r2)) > 0, "rotate_vessels",
          "rotation: expected determinant 1, found -1 (a mirror image)");
  for (VesselNode& node : tree.nodes) node.position_mm = rotation * node.position_mm;
}

}  // namespace dsasrgs
