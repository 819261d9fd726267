// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a mask shows and what contrast adds, in closed form.

#include <cmath>

namespace dsasrgs::test {

constexpr int kBoneWidth = 96, kBoneHeight = 80;

/// ln of the intensity behind bone: a skull's rim, a few dense spots, a slope; between about −3.5 and −1.5.
inline double log_bone(double x, double y) {
  const double rim = std::hypot((x - 47) / 36, (y - 41) / 30) - 1;
  double value = -2 - 0.9 * std::exp(-rim * rim / (2 * 0.06 * 0.06)) + 0.004 * x - 0.002 * y;
  const double spots[][4] = {{30, 50, 3, 0.6}, {60, 28, 5, 0.4}, {66, 55, 2.5, 0.8}};
  for (const auto& s : spots)
    value -= s[3] * std::exp(-((x - s[0]) * (x - s[0]) + (y - s[1]) * (y - s[1])) / (2 * s[2] * s[2]));
  return value;
}

/// A vessel across the image, of line integrals up to 0.5.
inline double vessel_across(double x, double y) {
  const double away = (y - 40 - 8 * std::sin(x / 9)) / 2.2;
  return 0.5 * std::exp(-0.5 * away * away);
}

}  // namespace dsasrgs::test
