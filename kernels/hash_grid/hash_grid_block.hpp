#pragma once
// One level as the loops of both backends take it: the index of an entry is x ∘ y·stride_y ∘ z·stride_z ∘ slice, where
// ∘ is + for a dense level and xor, then mask, for a hashed one.

#include <cstddef>
#include <cstdint>

#include "hash_grid/hash_grid_math.hpp"

namespace dsasrgs {

struct HashLevelBlock {
  HashLevelBlock() = default;
  HashLevelBlock(const HashGridLevel& level, int dimensions, float time)
      : scale(level.scale),
        dense(level.dense),
        last_vertex(level.resolution - 1),
        stride_y(level.dense ? level.resolution : kHashPrimes[1]),
        stride_z(level.dense ? level.resolution * level.resolution : kHashPrimes[2]),
        mask(level.entries - 1) {
    if (dimensions == 3) return;
    // One time for all points: the two slices around it are the same for all.
    const HashCell<float> t = hash_cell(time, level);
    const std::uint32_t stride_t = level.dense ? stride_z * level.resolution : kHashPrimes[3];
    num_slices = 2;
    slice[0] = t.vertex[0] * stride_t;
    slice[1] = t.vertex[1] * stride_t;
    slice_weight[0] = 1 - t.fraction;
    slice_weight[1] = t.fraction;
  }

  float scale = 0;
  bool dense = true;
  std::uint32_t last_vertex = 0, stride_y = 0, stride_z = 0, mask = 0;
  int num_slices = 1;
  std::uint32_t slice[2] = {0, 0};
  float slice_weight[2] = {1, 0};
};

}  // namespace dsasrgs
