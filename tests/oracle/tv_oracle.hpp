// SPDX-License-Identifier: Apache-2.0
#pragma once
// Total variation in double, one axis after the other.

#include <cmath>
#include <vector>

namespace dsasrgs::test {

/// volume [z,y,x].
inline double total_variation_oracle(const std::vector<double>& volume, int size_x, int size_y, int size_z) {
  const auto at = [&](int x, int y, int z) { return volume[(z * size_y + y) * size_x + x]; };
  double sum = 0, count = 0;
  const int step[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  for (const auto& s : step)
    for (int z = 0; z + s[2] < size_z; ++z)
      for (int y = 0; y + s[1] < size_y; ++y)
        for (int x = 0; x + s[0] < size_x; ++x) {
          sum += std::abs(at(x + s[0], y + s[1], z + s[2]) - at(x, y, z));
          ++count;
        }
  return count > 0 ? sum / count : 0;
}

}  // namespace dsasrgs::test
