// SPDX-License-Identifier: Apache-2.0
#pragma once
// Bicubic upsampling in double: Catmull–Rom splines (the Keys kernel with a = −0.5) evaluated as polynomials.

#include <algorithm>
#include <cmath>
#include <vector>

namespace dsasrgs::test {

/// Through p1 at t = 0 and p2 at t = 1 with central-difference tangents.
inline double catmull_rom(double p0, double p1, double p2, double p3, double t) {
  const double m1 = (p2 - p0) / 2, m2 = (p3 - p1) / 2, t2 = t * t, t3 = t2 * t;
  return (2 * t3 - 3 * t2 + 1) * p1 + (t3 - 2 * t2 + t) * m1 + (3 * t2 - 2 * t3) * p2 + (t3 - t2) * m2;
}

inline std::vector<double> upsample_oracle(const std::vector<float>& low, int width, int height, int scale) {
  const auto at = [&](int r, int c) {
    return static_cast<double>(low[std::clamp(r, 0, height - 1) * width + std::clamp(c, 0, width - 1)]);
  };
  std::vector<double> high;
  for (int r = 0; r < height * scale; ++r)
    for (int c = 0; c < width * scale; ++c) {
      const double y = (r + 0.5) / scale - 0.5, x = (c + 0.5) / scale - 0.5;
      const int i = static_cast<int>(std::floor(y)), j = static_cast<int>(std::floor(x));
      double rows[4];
      for (int k = 0; k < 4; ++k)
        rows[k] =
            catmull_rom(at(i + k - 1, j - 1), at(i + k - 1, j), at(i + k - 1, j + 1), at(i + k - 1, j + 2), x - j);
      high.push_back(catmull_rom(rows[0], rows[1], rows[2], rows[3], y - i));
    }
  return high;
}

}  // namespace dsasrgs::test
