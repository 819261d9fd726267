// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/best_shift.hpp"

#include <algorithm>
#include <cmath>

#include "common/checks.hpp"

namespace dsasrgs {

BestShift best_shift(std::span<const float> render, std::span<const float> measured,
                     std::span<const std::uint8_t> valid, int width_px, int height_px, int most_px) {
  constexpr const char* kName = "best_shift";
  const std::size_t pixels = require_image(kName, "images", width_px, height_px);
  require_size(kName, "render", pixels, render.size());
  require_size(kName, "measured", pixels, measured.size());
  if (!valid.empty()) require_size(kName, "valid", pixels, valid.size());
  require_at_least(kName, "most_px", most_px, 0);
  const auto index = [&](int column, int row) {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(width_px) + static_cast<std::size_t>(column);
  };
  constexpr double kMostPixels = 1 << 16;
  const int stride = static_cast<int>(std::ceil(std::sqrt(std::max(1.0, static_cast<double>(pixels) / kMostPixels))));
  std::size_t counted = 0;
  const auto error_of = [&](int u, int v) {
    double sum = 0;
    counted = 0;
    for (int row = most_px; row < height_px - most_px; row += stride)
      for (int column = most_px; column < width_px - most_px; column += stride) {
        if (!valid.empty() && valid[index(column, row)] == 0) continue;
        const double d =
            static_cast<double>(measured[index(column, row)]) - static_cast<double>(render[index(column - u, row - v)]);
        sum += d * d;
        ++counted;
      }
    return sum;
  };
  BestShift best;
  best.error = best.unshifted_error = error_of(0, 0);
  if (counted == 0) return {};
  for (int v = -most_px; v <= most_px; ++v)
    for (int u = -most_px; u <= most_px; ++u)
      if (const double error = error_of(u, v); error < best.error) {
        best.u_px = u;
        best.v_px = v;
        best.error = error;
      }
  best.error /= static_cast<double>(counted);
  best.unshifted_error /= static_cast<double>(counted);
  return best;
}

}  // namespace dsasrgs
