// SPDX-License-Identifier: Apache-2.0
#pragma once
// Every pair of points, in double.

#include <algorithm>
#include <cstddef>
#include <vector>

namespace dsasrgs::test {

inline std::vector<double> oracle_neighbour_distances(const std::vector<float>& position) {
  const std::size_t n = position.size() / 3;
  std::vector<double> result;
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<double> d2;
    for (std::size_t j = 0; j < n; ++j) {
      if (j == i) continue;
      double sum = 0;
      for (std::size_t a = 0; a < 3; ++a) {
        const double d = static_cast<double>(position[3 * i + a]) - static_cast<double>(position[3 * j + a]);
        sum += d * d;
      }
      d2.push_back(sum);
    }
    std::sort(d2.begin(), d2.end());
    d2.resize(std::min<std::size_t>(3, d2.size()));
    double mean = 0;
    for (const double v : d2) mean += v / static_cast<double>(d2.size());
    result.push_back(mean);
  }
  return result;
}

}  // namespace dsasrgs::test
