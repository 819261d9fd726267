// SPDX-License-Identifier: Apache-2.0
#pragma once
// bfloat16 numbers as the upper half of a float, on host and device.

#include <bit>
#include <cstdint>

#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// The bfloat16 number nearest to v, ties to even: the upper half of a float. NaN stays NaN.
DSASRGS_HD inline std::uint16_t bf16_bits(float v) {
  const std::uint32_t u = std::bit_cast<std::uint32_t>(v);
  if ((u & 0x7fffffffu) > 0x7f800000u) return 0x7fffu;
  return static_cast<std::uint16_t>((u + 0x7fffu + (u >> 16 & 1u)) >> 16);
}
DSASRGS_HD inline float bf16_value(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
DSASRGS_HD inline float round_to_bf16(float v) { return bf16_value(bf16_bits(v)); }

}  // namespace dsasrgs
