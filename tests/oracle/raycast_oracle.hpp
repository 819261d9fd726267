// SPDX-License-Identifier: Apache-2.0
#pragma once
// Brute-force line integrals of a zero-padded trilinear volume, in double.

#include <algorithm>
#include <cmath>
#include <vector>

#include "dsasrgs/geometry.hpp"

namespace dsasrgs::oracle {

/// The trilinear field at a world position: every voxel's tent function (slow on purpose: no interval logic at all).
inline double trilinear(const std::vector<float>& volume, const VolumeGrid& g, Vec3d p) {
  const double x = (p.x - g.origin_mm.x) / g.spacing_mm.x - 0.5, y = (p.y - g.origin_mm.y) / g.spacing_mm.y - 0.5;
  const double z = (p.z - g.origin_mm.z) / g.spacing_mm.z - 0.5;
  double sum = 0;
  for (int k = std::max(0, static_cast<int>(z) - 1); k < std::min<double>(g.size_z, z + 2); ++k)
    for (int j = std::max(0, static_cast<int>(y) - 1); j < std::min<double>(g.size_y, y + 2); ++j)
      for (int i = std::max(0, static_cast<int>(x) - 1); i < std::min<double>(g.size_x, x + 2); ++i)
        sum += std::max(0.0, 1 - std::abs(x - i)) * std::max(0.0, 1 - std::abs(y - j)) *
               std::max(0.0, 1 - std::abs(z - k)) *
               static_cast<double>(volume[static_cast<std::size_t>((k * g.size_y + j) * g.size_x + i)]);
  return sum;
}

/// ∫ along the segment, midpoint rule with `step_mm`.
inline double ray_sum(const std::vector<float>& volume, const VolumeGrid& g, Vec3d from, Vec3d to, double step_mm) {
  const int n = static_cast<int>(std::ceil(length(to - from) / step_mm));
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += trilinear(volume, g, from + (to - from) * ((i + 0.5) / n));
  return sum * length(to - from) / n;
}

/// Joseph's sum: the field where the segment meets the planes of voxel centres across the axis it advances fastest on.
inline double joseph(const std::vector<float>& volume, const VolumeGrid& g, Vec3d from, Vec3d to) {
  const Vec3d d = to - from;
  const double rate[3] = {d.x / g.spacing_mm.x, d.y / g.spacing_mm.y, d.z / g.spacing_mm.z};
  const double start[3] = {(from.x - g.origin_mm.x) / g.spacing_mm.x - 0.5,
                           (from.y - g.origin_mm.y) / g.spacing_mm.y - 0.5,
                           (from.z - g.origin_mm.z) / g.spacing_mm.z - 0.5};
  const int size[3] = {g.size_x, g.size_y, g.size_z};
  int m = 0;
  for (int axis = 1; axis < 3; ++axis)
    if (std::abs(rate[axis]) > std::abs(rate[m])) m = axis;
  double sum = 0;
  for (int layer = 0; layer < size[m]; ++layer) {
    const double t = (layer - start[m]) / rate[m];
    if (t >= 0 && t <= 1) sum += trilinear(volume, g, from + d * t);
  }
  return sum * length(d) / std::abs(rate[m]);
}

}  // namespace dsasrgs::oracle
