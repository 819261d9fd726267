#pragma once
// Per-element formulas of the hash encoding: where a point falls in a level, which entry a vertex has, D-linear
// interpolation and its VJP. The CPU body is the vectorised form of the same text.

#include <cmath>
#include <cstdint>

#include "dsasrgs/math.hpp"
#include "hash_grid/hash_grid.hpp"

namespace dsasrgs {

/// Factors of the spatial hash, one per coordinate (Instant-NGP, eq. 4, with a fourth for time).
inline constexpr std::uint32_t kHashPrimes[4] = {1u, 2654435761u, 805459861u, 3674653429u};

/// One coordinate of a point in one level.
template <class T>
struct HashCell {
  std::uint32_t vertex[2];  ///< below and above; past the last vertex both are the last
  T fraction;               ///< from vertex[0] towards vertex[1], in [0,1)
  T slope;                  ///< d fraction / d coordinate: scale, or 0 where the coordinate was clamped
};
template <class T>
DSASRGS_HD HashCell<T> hash_cell(T coordinate, T scale, std::uint32_t last_vertex) {
  using std::floor;
  const T inside = coordinate > T(0) ? (coordinate < T(1) ? coordinate : T(1)) : T(0);  // NaN becomes 0
  const T scaled = inside * scale + T(0.5);
  const T below = floor(scaled);
  const std::uint32_t v = static_cast<std::uint32_t>(below);
  return {{v < last_vertex ? v : last_vertex, v + 1 < last_vertex ? v + 1 : last_vertex},
          scaled - below,
          inside == coordinate ? scale : T(0)};
}
template <class T>
DSASRGS_HD HashCell<T> hash_cell(T coordinate, const HashGridLevel& level) {
  return hash_cell(coordinate, static_cast<T>(level.scale), level.resolution - 1);
}

/// Entry of a vertex within its level.
template <int kDimensions>
DSASRGS_HD std::uint32_t hash_entry(const HashGridLevel& level, const std::uint32_t (&vertex)[kDimensions]) {
  std::uint32_t index = 0, stride = 1;
  for (int d = 0; d < kDimensions; ++d) {
    if (level.dense)
      index += vertex[d] * stride;
    else
      index ^= vertex[d] * kHashPrimes[d];
    stride *= level.resolution;
  }
  return level.dense ? index : index & (level.entries - 1);
}

/// D-linear interpolation; bit d of a corner's number says whether it is the upper one in coordinate d.
template <class T, int kDimensions>
DSASRGS_HD T interpolate(const T (&corner)[1 << kDimensions], const T (&fraction)[kDimensions]) {
  T sum = T(0);
  for (int c = 0; c < 1 << kDimensions; ++c) {
    T weight = T(1);
    for (int d = 0; d < kDimensions; ++d) weight *= (c >> d & 1) != 0 ? fraction[d] : T(1) - fraction[d];
    sum += weight * corner[c];
  }
  return sum;
}
/// Overwrites grad_corner and grad_fraction.
template <class T, int kDimensions>
DSASRGS_HD void interpolate_vjp(const T (&corner)[1 << kDimensions], const T (&fraction)[kDimensions], T grad,
                                T (&grad_corner)[1 << kDimensions], T (&grad_fraction)[kDimensions]) {
  for (int d = 0; d < kDimensions; ++d) grad_fraction[d] = T(0);
  for (int c = 0; c < 1 << kDimensions; ++c) {
    T weight = grad;
    for (int d = 0; d < kDimensions; ++d) weight *= (c >> d & 1) != 0 ? fraction[d] : T(1) - fraction[d];
    grad_corner[c] = weight;
    for (int d = 0; d < kDimensions; ++d) {
      T others = (c >> d & 1) != 0 ? grad : -grad;
      for (int e = 0; e < kDimensions; ++e)
        if (e != d) others *= (c >> e & 1) != 0 ? fraction[e] : T(1) - fraction[e];
      grad_fraction[d] += others * corner[c];
    }
  }
}

}  // namespace dsasrgs
