// SPDX-License-Identifier: Apache-2.0
#pragma once
// A gradient that waits for the optimiser: in floats, or in 64-bit fixed point, where additions in any order give the
// same bits.

#include <climits>
#include <cstddef>
#include <limits>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// One unit for all sums of an array. A sum stays below 2^61; one beyond 2^62 is not a number: kNotFinite says so, and
/// what is added after it does not bring it back.
namespace fixed_point {
inline constexpr int kBits = 61;
inline constexpr long long kNotFinite = LLONG_MIN;
DSASRGS_HD inline float value(long long sum, float unit) {
  constexpr long long kMost = 1ll << (kBits + 1);
  return sum > -kMost && sum < kMost ? static_cast<float>(sum) * unit : std::numeric_limits<float>::quiet_NaN();
}
}  // namespace fixed_point

/// Floats, or sums with their unit [1] in the context's memory (CUDA only). Who takes it leaves zeros.
struct WaitingGradient {
  View<float> values;
  View<long long> sums;
  View<const float> unit;

  WaitingGradient() = default;
  WaitingGradient(View<float> floats) : values(floats) {}     // NOLINT: implicit on purpose
  WaitingGradient(Buffer<float>& floats) : values(floats) {}  // NOLINT: implicit on purpose
  WaitingGradient(View<long long> fixed, View<const float> unit_of_sums) : sums(fixed), unit(unit_of_sums) {}

  bool is_fixed_point() const { return sums.data() != nullptr; }
  std::size_t size() const { return is_fixed_point() ? sums.size() : values.size(); }
};

}  // namespace dsasrgs
