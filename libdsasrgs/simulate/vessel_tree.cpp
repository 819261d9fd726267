// Vessel trees: path lengths, smoothing, placing.
#include "simulate/vessel_tree.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "common/require.hpp"

namespace dsasrgs {

void check_vessel_tree(const VesselTree& tree, const char* op) {
  for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
    const VesselNode& node = tree.nodes[i];
    const auto at = [&] { return "node " + std::to_string(i) + ": "; };
    require(node.parent >= -1 && node.parent < static_cast<int>(i), op,
            at() + "parent: expected -1 or an earlier node, found " + std::to_string(node.parent));
    require(std::isfinite(node.radius_mm) && node.radius_mm > 0, op,
            at() + "radius_mm: expected a positive length, found " + std::to_string(node.radius_mm));
    const Vec3d p = node.position_mm;
    require(std::isfinite(p.x) && std::isfinite(p.y) && std::isfinite(p.z), op,
            at() + "position_mm: expected finite numbers, found (" + std::to_string(p.x) + ", " + std::to_string(p.y) +
                ", " + std::to_string(p.z) + ")");
  }
}

std::vector<int> num_children(const VesselTree& tree) {
  std::vector<int> count(tree.nodes.size());
  for (const VesselNode& node : tree.nodes)
    if (node.parent >= 0) ++count[node.parent];
  return count;
}

std::vector<double> VesselTree::path_length_mm() const {
  check_vessel_tree(*this, "VesselTree::path_length_mm");
  std::vector<double> path(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (const int up = nodes[i].parent; up >= 0)
      path[i] = path[up] + length(nodes[i].position_mm - nodes[up].position_mm);
  return path;
}

void smooth_vessels(VesselTree& tree, int passes) {
  require(passes >= 0 && passes <= 10000, "smooth_vessels",
          "passes: expected 0 to 10000, found " + std::to_string(passes));
  check_vessel_tree(tree, "smooth_vessels");
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
}

void center_vessels(VesselTree& tree) {
  check_vessel_tree(tree, "center_vessels");
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
