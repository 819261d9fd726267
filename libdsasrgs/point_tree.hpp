// SPDX-License-Identifier: Apache-2.0
#pragma once
// Nearest points: distances to a surface, and the initial size of Gaussians.

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "dsasrgs/context.hpp"
#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// k-d tree of points (nanoflann). Exact, in double. Queries may come from any number of threads.
class PointTree {
 public:
  /// At least one point; they are copied. Throws OutOfMemory.
  explicit PointTree(std::span<const Vec3d> points_mm);
  ~PointTree();
  PointTree(const PointTree&) = delete;
  PointTree& operator=(const PointTree&) = delete;
  /// Distance from `query_mm` to the nearest point of the tree.
  double distance_mm(Vec3d query_mm) const;
  /// The squared distances to the nearest points, ascending, as many as `squared_mm2` has room for and the tree has
  /// points. Returns their number.
  std::size_t nearest(Vec3d query_mm, std::span<double> squared_mm2) const;

 private:
  struct Index;
  std::unique_ptr<Index> index_;
};

/// [N] mean of the squared distances from point i to its 3 nearest other points (method.md section 2); with fewer than
/// 4 points, to those there are; 0 for a single point. position_mm [N,3]. The same bits for any thread count. Throws
/// InvalidArgument when there are not 3 numbers to a point or a position is not finite, and OutOfMemory.
std::vector<float> neighbour_distances_mm2(const Context&, std::span<const float> position_mm);

}  // namespace dsasrgs
