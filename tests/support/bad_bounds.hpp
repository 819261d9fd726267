// SPDX-License-Identifier: Apache-2.0
#pragma once
// Bounds of scale that every operator refuses.

#include <cmath>

#include "dsasrgs/gaussians.hpp"

namespace dsasrgs::test {

/// A lower bound that is not positive, no span, no upper bound, no numbers.
inline constexpr ScaleBounds kBadBounds[] = {{0, 1}, {-1, 1}, {1, 1}, {3, 2}, {1, HUGE_VALF}, {NAN, 1}, {1, NAN}};

}  // namespace dsasrgs::test
