// SPDX-License-Identifier: Apache-2.0
#pragma once
// Percentiles by nearest rank.

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace dsasrgs {

/// The smallest value that at least this share of the values, at least one, do not exceed (0: the smallest). Reorders
/// them.
template <class Values>
typename Values::value_type percentile(Values& values, double share) {
  const double rank = std::ceil(share * static_cast<double>(values.size()));
  const auto nth = values.begin() + std::max<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(rank) - 1, 0);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

}  // namespace dsasrgs
