// SPDX-License-Identifier: Apache-2.0
#pragma once
// The nearest of the points before a given one.

#include <cstddef>
#include <vector>

#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// A k-d tree over points in an order; each part of it knows its earliest point, so that "nearest of those before"
/// needs no tree of its own.
class EarlierPoints {
 public:
  explicit EarlierPoints(std::vector<Vec3d> points);
  /// Index of the nearest of points [0, end) within `reach` of p, the earliest of equals; −1: none.
  int nearest(Vec3d p, std::size_t end, double reach) const;

 private:
  struct Best {
    double distance2;
    std::size_t index;
  };
  std::size_t build(std::size_t low, std::size_t high);
  void search(std::size_t low, std::size_t high, Vec3d p, std::size_t end, double bound2, Best& best) const;

  std::vector<Vec3d> points_;
  std::vector<std::size_t> order_;     ///< the middle of a part is its dividing point
  std::vector<std::size_t> earliest_;  ///< of the part whose middle this is
  std::vector<char> axis_;
};

}  // namespace dsasrgs
