// SPDX-License-Identifier: Apache-2.0
#pragma once
// One voxel's part of the total variation and of its gradient.

#include <cmath>
#include <cstddef>

#include "dsasrgs/geometry.hpp"
#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// Sizes of a volume [z,y,x].
struct VolumeSize {
  std::size_t x, y, z;
  constexpr std::size_t voxels() const { return x * y * z; }
  constexpr std::size_t differences() const { return (x - 1) * y * z + x * (y - 1) * z + x * y * (z - 1); }
};
inline VolumeSize volume_size(const VolumeGrid& grid) {
  return {static_cast<std::size_t>(grid.size_x), static_cast<std::size_t>(grid.size_y),
          static_cast<std::size_t>(grid.size_z)};
}
/// 1 / D, and 0 where there is no difference.
inline double per_difference(const VolumeSize& size) {
  return size.differences() == 0 ? 0 : 1 / static_cast<double>(size.differences());
}

/// Σ |forward difference| of voxel i over the axes that have one.
template <class T>
DSASRGS_HD T forward_variation(const T* volume, const VolumeSize& size, std::size_t i) {
  using std::abs;
  const std::size_t x = i % size.x, y = i / size.x % size.y, z = i / (size.x * size.y);
  const T v = volume[i];
  T sum = T(0);
  if (x + 1 < size.x) sum += abs(volume[i + 1] - v);
  if (y + 1 < size.y) sum += abs(volume[i + size.x] - v);
  if (z + 1 < size.z) sum += abs(volume[i + size.x * size.y] - v);
  return sum;
}

/// 1, 0 or −1; 0 for NaN.
template <class T>
DSASRGS_HD int sign_of(T v) {
  return (v > T(0) ? 1 : 0) - (v < T(0) ? 1 : 0);
}

/// D · dTV/dv of voxel i: a whole number from −6 to 6.
template <class T>
DSASRGS_HD int variation_derivative(const T* volume, const VolumeSize& size, std::size_t i) {
  const std::size_t x = i % size.x, y = i / size.x % size.y, z = i / (size.x * size.y);
  const std::size_t row = size.x, slice = size.x * size.y;
  const T v = volume[i];
  int sum = 0;
  if (x > 0) sum += sign_of(v - volume[i - 1]);
  if (x + 1 < size.x) sum += sign_of(v - volume[i + 1]);
  if (y > 0) sum += sign_of(v - volume[i - row]);
  if (y + 1 < size.y) sum += sign_of(v - volume[i + row]);
  if (z > 0) sum += sign_of(v - volume[i - slice]);
  if (z + 1 < size.z) sum += sign_of(v - volume[i + slice]);
  return sum;
}

}  // namespace dsasrgs
