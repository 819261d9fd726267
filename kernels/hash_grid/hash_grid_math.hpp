// SPDX-License-Identifier: Apache-2.0
#pragma once
// The hash encoding of one point: a level as the loops of both backends take it, the numbers of one point, and the
// formulas for them. The text of the formulas is in hash_grid_math-inl.hpp, which hash_grid_cpu.cpp compiles again for
// vectors of points.

#include <cstdint>

#include "dsasrgs/math.hpp"
#include "hash_grid/hash_grid.hpp"

namespace dsasrgs {

/// Factors of the spatial hash, one per coordinate (Instant-NGP, eq. 4, with a fourth for time).
inline constexpr std::uint32_t kHashPrimes[4] = {1u, 2654435761u, 805459861u, 3674653429u};

/// One level: the entry of a vertex is x ∘ y·stride_y ∘ z·stride_z ∘ slice, where ∘ is + for a dense level and xor,
/// then mask, for a hashed one.
struct HashLevelBlock {
  HashLevelBlock() = default;
  HashLevelBlock(const HashGridLevel&, int dimensions, float time);

  float scale = 0;
  bool dense = true;
  std::uint32_t last_vertex = 0, stride_y = 0, stride_z = 0, mask = 0;
  /// Of a grid in time: one time for all points, so the two slices around it are the same for all.
  int num_slices = 1;
  std::uint32_t slice[2] = {0, 0};
  float slice_weight[2] = {1, 0};
};

/// The two features of an entry, side by side as in the table.
template <class T>
struct alignas(2 * sizeof(T)) FeaturePair {
  T first, second;

  DSASRGS_HD friend FeaturePair operator-(FeaturePair a, FeaturePair b) {
    return {a.first - b.first, a.second - b.second};
  }
  DSASRGS_HD friend FeaturePair operator*(T f, FeaturePair a) { return {f * a.first, f * a.second}; }
};

/// What HashGridFormulas needs to know of numbers, for one point in precision T.
template <class T>
struct OnePoint {
  using Number = T;
  using Index = std::uint32_t;
  using Factor = T;
  using Pair = FeaturePair<T>;
  using Entries = const Pair*;

  DSASRGS_HD static T clamp_to_unit(T a) { return a > T(0) ? (a < T(1) ? a : T(1)) : T(0); }  // NaN becomes 0
  DSASRGS_HD static T zero_unless_equal(T a, T b, T value) { return a == b ? value : T(0); }
  DSASRGS_HD static Index truncate(T a) { return static_cast<Index>(a); }
  DSASRGS_HD static T number(Index a) { return static_cast<T>(a); }
  DSASRGS_HD static Index smaller(Index a, Index b) { return a < b ? a : b; }
  DSASRGS_HD static T multiply_add(T a, T b, T c) { return a * b + c; }
  DSASRGS_HD static Pair multiply_add(T f, Pair a, Pair b) { return {f * a.first + b.first, f * a.second + b.second}; }
  DSASRGS_HD static T dot(Pair a, Pair b) { return a.first * b.first + a.second * b.second; }
  DSASRGS_HD static T factor(T a) { return a; }
  DSASRGS_HD static Pair load(Entries entries, Index at) { return entries[at]; }
};

#include "hash_grid/hash_grid_math-inl.hpp"

inline HashLevelBlock::HashLevelBlock(const HashGridLevel& level, int dimensions, float time)
    : scale(level.scale),
      dense(level.dense),
      last_vertex(level.resolution - 1),
      stride_y(level.dense ? level.resolution : kHashPrimes[1]),
      stride_z(level.dense ? level.resolution * level.resolution : kHashPrimes[2]),
      mask(level.entries - 1) {
  if (dimensions == 3) return;
  const auto t = HashGridFormulas<OnePoint<float>>::cell(time, scale, last_vertex);
  const std::uint32_t stride_t = level.dense ? stride_z * level.resolution : kHashPrimes[3];
  num_slices = 2;
  slice[0] = t.vertex[0] * stride_t;
  slice[1] = t.vertex[1] * stride_t;
  slice_weight[0] = 1 - t.fraction;
  slice_weight[1] = t.fraction;
}

/// One level of one of several grids.
struct HashGridRow {
  HashLevelBlock block;
  const float* entries;  ///< where the level's begin in its table
  std::size_t num_entries;
};
inline HostVector<HashGridRow> hash_grid_rows(std::span<const HashGridInput> grids) {
  HostVector<HashGridRow> rows;
  for (const HashGridInput& in : grids)
    for (const HashGridLevel& level : hash_grid_levels(in.shape))
      rows.push_back({HashLevelBlock(level, in.shape.dimensions, in.time),
                      in.table.data() + std::size_t{kHashFeatures} * level.offset, level.entries});
  return rows;
}

}  // namespace dsasrgs
