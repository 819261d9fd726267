// SPDX-License-Identifier: Apache-2.0
#pragma once
// A point's number along the curve.

#include <cstdint>

#include "dsasrgs/math.hpp"
#include "morton/morton.hpp"

namespace dsasrgs {

/// Cell of a coordinate.
DSASRGS_HD inline std::uint32_t morton_cell(float coordinate) {
  constexpr std::uint32_t kCells = 1u << kMortonBits;
  if (!(coordinate > 0)) return 0;  // also NaN
  if (coordinate >= 1) return kCells - 1;
  return static_cast<std::uint32_t>(coordinate * static_cast<float>(kCells));  // times a power of two: exact
}

/// Bit i → bit 3·i, for kMortonBits bits.
DSASRGS_HD inline std::uint32_t spread_bits(std::uint32_t x) {
  x = (x | x << 16) & 0x030000FFu;
  x = (x | x << 8) & 0x0300F00Fu;
  x = (x | x << 4) & 0x030C30C3u;
  return (x | x << 2) & 0x09249249u;
}

DSASRGS_HD inline std::uint32_t morton_number(const float* position) {
  return spread_bits(morton_cell(position[0])) | spread_bits(morton_cell(position[1])) << 1 |
         spread_bits(morton_cell(position[2])) << 2;
}

}  // namespace dsasrgs
