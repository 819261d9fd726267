// SPDX-License-Identifier: Apache-2.0
#pragma once
// TF32 numbers: floats whose significand has 11 bits, the upper 10 of those that are stored.

#include <bit>
#include <cstdint>

#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// v to the nearest TF32 number, of two the one farther from 0 (PTX's cvt.rna.tf32.f32).
DSASRGS_HD inline float tf32(float v) {
  const auto bits = std::bit_cast<std::uint32_t>(v);
  constexpr std::uint32_t kDropped = 0x1fff, kExponent = 0x7f800000;
  return (bits & kExponent) == kExponent ? v : std::bit_cast<float>((bits + 0x1000) & ~kDropped);
}

/// A float as the sum of two TF32 numbers, which leaves 2⁻²³ of it.
struct Tf32Pair {
  float large, small;
  DSASRGS_HD explicit Tf32Pair(float v) : large(tf32(v)), small(tf32(v - large)) {}
  /// The product without that of both small parts.
  DSASRGS_HD float times(const Tf32Pair& o) const { return small * o.large + (large * o.small + large * o.large); }
};

}  // namespace dsasrgs
