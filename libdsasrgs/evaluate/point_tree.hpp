#pragma once
// Nearest-point queries.

#include <cstddef>
#include <vector>

#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// k-d tree of points (Bentley 1975), balanced: the median of each range splits it along its longest side.
class PointTree {
 public:
  /// At least one point.
  explicit PointTree(std::vector<Vec3d> points_mm);
  /// Distance from `query_mm` to the nearest point of the tree.
  double distance_mm(Vec3d query_mm) const;

 private:
  void build(std::size_t begin, std::size_t end);
  void search(std::size_t begin, std::size_t end, Vec3d query, double& best_squared) const;

  std::vector<Vec3d> points_;  // each range's median in its middle, what lies below it before, above it behind
  std::vector<int> axes_;      // split axis of each median
};

}  // namespace dsasrgs
