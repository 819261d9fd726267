// SPDX-License-Identifier: Apache-2.0
#include "shown_pixels.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace dsasrgs {

namespace {

constexpr float kShownShare = 0.01f;

/// Sets those of `length` elements, `stride` apart, that are within `reach` of one that is set in `from`.
void spread_line(const std::uint8_t* from, std::uint8_t* to, int length, std::ptrdiff_t stride, int reach) {
  int last = -reach - 1, next = 0;
  for (int i = 0; i < length; ++i) {
    for (; next < std::min(i + reach + 1, length); ++next)
      if (from[next * stride] != 0) last = next;
    to[i * stride] = last >= i - reach ? 1 : 0;
  }
}

/// Pixels within `reach` rows and columns of one that is set.
std::vector<std::uint8_t> around(const std::vector<std::uint8_t>& set, const Detector& detector, int reach) {
  std::vector<std::uint8_t> along_rows(set.size()), both(set.size());
  const std::ptrdiff_t width = detector.width_px;
  for (int row = 0; row < detector.height_px; ++row)
    spread_line(set.data() + row * width, along_rows.data() + row * width, detector.width_px, 1, reach);
  for (int column = 0; column < detector.width_px; ++column)
    spread_line(along_rows.data() + column, both.data() + column, detector.height_px, width, reach);
  return both;
}

}  // namespace

ShownPixels shown_pixels(const Detector& detector, const std::vector<float>& render, const std::vector<float>& residual,
                         const std::vector<float>& predicted, const std::vector<float>& counts) {
  float brightest = 0;
  for (std::size_t p = 0; p < render.size(); ++p)
    if (counts[p] != 0) brightest = std::max(brightest, render[p]);
  std::vector<std::uint8_t> shown(render.size());
  for (std::size_t p = 0; p < render.size(); ++p)
    shown[p] = counts[p] != 0 && render[p] > kShownShare * brightest ? 1 : 0;
  const std::vector<std::uint8_t> near = around(shown, detector, std::max(2, detector.width_px / 20));
  ShownPixels sums;
  double of_noise = 0, noisy = 0, pixels = 0;
  for (std::size_t p = 0; p < render.size(); ++p) {
    if (counts[p] == 0 || near[p] == 0) continue;
    const double square = static_cast<double>(residual[p]) * static_cast<double>(residual[p]);
    if (shown[p] == 0) {
      of_noise += square;
      ++noisy;
    } else {
      sums.misfit += square;
      sums.predicted += static_cast<double>(predicted[p]);
      ++pixels;
    }
  }
  if (noisy > 0) sums.noise = pixels * of_noise / noisy;
  return sums;
}

}  // namespace dsasrgs
