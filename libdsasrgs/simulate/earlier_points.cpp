// SPDX-License-Identifier: Apache-2.0
#include "simulate/earlier_points.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace dsasrgs {

namespace {

double along(Vec3d p, char axis) { return axis == 0 ? p.x : axis == 1 ? p.y : p.z; }

}  // namespace

EarlierPoints::EarlierPoints(std::vector<Vec3d> points)
    : points_(std::move(points)), order_(points_.size()), earliest_(points_.size()), axis_(points_.size()) {
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  build(0, order_.size());
}

std::size_t EarlierPoints::build(std::size_t low, std::size_t high) {
  if (low >= high) return points_.size();
  Vec3d least = points_[order_[low]], most = least;
  for (std::size_t i = low; i < high; ++i) {
    const Vec3d p = points_[order_[i]];
    least = {std::min(least.x, p.x), std::min(least.y, p.y), std::min(least.z, p.z)};
    most = {std::max(most.x, p.x), std::max(most.y, p.y), std::max(most.z, p.z)};
  }
  const Vec3d side = most - least;
  const char axis = side.x >= side.y && side.x >= side.z ? 0 : side.y >= side.z ? 1 : 2;
  const auto at = [](std::size_t i) { return static_cast<std::ptrdiff_t>(i); };
  const std::size_t middle = low + (high - low) / 2;
  std::nth_element(order_.begin() + at(low), order_.begin() + at(middle), order_.begin() + at(high),
                   [&](std::size_t i, std::size_t k) {  // equal points by index: the earliest stand on one side
                     return std::pair(along(points_[i], axis), i) < std::pair(along(points_[k], axis), k);
                   });
  axis_[middle] = axis;
  const std::size_t below = build(low, middle), above = build(middle + 1, high);
  return earliest_[middle] = std::min({order_[middle], below, above});
}

int EarlierPoints::nearest(Vec3d p, std::size_t end, double reach) const {
  Best best{reach * reach, points_.size()};
  search(0, order_.size(), p, end, 0, best);
  return best.index == points_.size() ? -1 : static_cast<int>(best.index);
}

/// bound2: no point of the part is nearer than that, squared.
void EarlierPoints::search(std::size_t low, std::size_t high, Vec3d p, std::size_t end, double bound2,
                           Best& best) const {
  if (low >= high) return;
  const std::size_t middle = low + (high - low) / 2, index = order_[middle];
  if (earliest_[middle] >= end || std::pair(bound2, earliest_[middle]) >= std::pair(best.distance2, best.index)) return;
  const Vec3d away = points_[index] - p;
  const std::pair found(dot(away, away), index);
  if (index < end && found < std::pair(best.distance2, best.index)) best = {found.first, found.second};
  const double beyond = along(p, axis_[middle]) - along(points_[index], axis_[middle]);
  const double far2 = std::max(bound2, beyond * beyond);
  if (beyond < 0) {
    search(low, middle, p, end, bound2, best);
    search(middle + 1, high, p, end, far2, best);
  } else {
    search(middle + 1, high, p, end, bound2, best);
    search(low, middle, p, end, far2, best);
  }
}

}  // namespace dsasrgs
