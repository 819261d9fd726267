// SPDX-License-Identifier: Apache-2.0
#pragma once
// The exponential in loops over pixels.

#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// exp(x) for x in [−86, 88], for float in arithmetic that g++ vectorises: to 1e-7. Beyond, and of NaN, it is anything:
/// callers clamp, and add x − x where NaN must stay NaN.
template <class T>
[[gnu::always_inline]] DSASRGS_HD inline T exp_within_range(T x) {
  if constexpr (std::is_same_v<T, float>) {
    // x = n ln 2 + r. Adding 1.5·2²³ leaves n in the low bits of the mantissa; ln 2 is taken in two parts.
    constexpr float kMagic = 12582912.0f;
    const float shifted = kMagic + x * 1.44269504f;
    const float n = shifted - kMagic;
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    const float p =
        1.0f +
        r * (1.0f + r * (1.0f / 2 +
                         r * (1.0f / 6 + r * (1.0f / 24 + r * (1.0f / 120 + r * (1.0f / 720 + r * (1.0f / 5040)))))));
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(p) + (std::bit_cast<std::uint32_t>(shifted) << 23));
  } else {
    using std::exp;
    return exp(x);
  }
}

}  // namespace dsasrgs
