// SPDX-License-Identifier: Apache-2.0
#pragma once
// The formulas of one element.

#include <bit>
#include <cstdint>

#include "dsasrgs/math.hpp"
#include "elementwise/elementwise.hpp"

namespace dsasrgs {

template <class T>
DSASRGS_HD T affine(T gain, T offset, T x) {
  return gain * x + offset;
}

/// 1 for an infinity or NaN, else 0.
DSASRGS_HD inline std::uint32_t is_non_finite(float x) {
  constexpr std::uint32_t kExponent = 0x7f800000u;
  return (std::bit_cast<std::uint32_t>(x) & kExponent) == kExponent ? 1u : 0u;
}

/// The terms of one element, added to the sums.
DSASRGS_HD inline void add_terms(float a, float b, double& sum, double& product) {
  sum += static_cast<double>(a);
  product += static_cast<double>(a) * static_cast<double>(b);
}

}  // namespace dsasrgs
