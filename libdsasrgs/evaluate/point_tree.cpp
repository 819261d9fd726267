#include "evaluate/point_tree.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dsasrgs {
namespace {

constexpr std::size_t kLeafSize = 12;  // ranges up to this are searched one by one

double component(Vec3d p, int axis) { return axis == 0 ? p.x : axis == 1 ? p.y : p.z; }

}  // namespace

PointTree::PointTree(std::vector<Vec3d> points_mm) : points_(std::move(points_mm)), axes_(points_.size(), 0) {
  build(0, points_.size());
}

void PointTree::build(std::size_t begin, std::size_t end) {
  if (end - begin <= kLeafSize) return;
  Vec3d low = points_[begin], high = low;
  for (std::size_t i = begin; i < end; ++i) {
    const Vec3d p = points_[i];
    low = {std::min(low.x, p.x), std::min(low.y, p.y), std::min(low.z, p.z)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y), std::max(high.z, p.z)};
  }
  const Vec3d side = high - low;
  const int axis = side.x >= side.y && side.x >= side.z ? 0 : side.y >= side.z ? 1 : 2;
  const std::size_t middle = begin + (end - begin) / 2;
  const auto at = [&](std::size_t i) { return points_.begin() + static_cast<std::ptrdiff_t>(i); };
  std::nth_element(at(begin), at(middle), at(end),
                   [axis](Vec3d a, Vec3d b) { return component(a, axis) < component(b, axis); });
  axes_[middle] = axis;
  build(begin, middle);
  build(middle + 1, end);
}

void PointTree::search(std::size_t begin, std::size_t end, Vec3d query, double& best_squared) const {
  if (end - begin <= kLeafSize) {
    for (std::size_t i = begin; i < end; ++i) {
      const Vec3d d = points_[i] - query;
      best_squared = std::min(best_squared, dot(d, d));
    }
    return;
  }
  const std::size_t middle = begin + (end - begin) / 2;
  const Vec3d d = points_[middle] - query;
  best_squared = std::min(best_squared, dot(d, d));
  const double beyond = component(d, axes_[middle]);  // > 0: the query lies below the split
  const bool below = beyond > 0;
  search(below ? begin : middle + 1, below ? middle : end, query, best_squared);
  if (beyond * beyond < best_squared) search(below ? middle + 1 : begin, below ? end : middle, query, best_squared);
}

double PointTree::distance_mm(Vec3d query_mm) const {
  double best_squared = std::numeric_limits<double>::infinity();
  search(0, points_.size(), query_mm, best_squared);
  return std::sqrt(best_squared);
}

}  // namespace dsasrgs
