// SPDX-License-Identifier: Apache-2.0
#include "fill_invalid.hpp"

#include <cstddef>

namespace dsasrgs {

void fill_invalid(std::span<const std::uint8_t> valid, int width_px, std::span<float> image) {
  const auto width = static_cast<std::size_t>(width_px);
  std::vector<std::uint8_t> known(valid.begin(), valid.end());
  std::vector<std::size_t> queue;
  for (std::size_t p = 0; p < known.size(); ++p)
    if (known[p] != 0) queue.push_back(p);
  for (std::size_t next = 0; next < queue.size(); ++next) {
    const std::size_t p = queue[next], column = p % width;
    const auto spread_to = [&](std::size_t q) {
      if (known[q] != 0) return;
      known[q] = 1;
      image[q] = image[p];
      queue.push_back(q);
    };
    if (column > 0) spread_to(p - 1);
    if (column + 1 < width) spread_to(p + 1);
    if (p >= width) spread_to(p - width);
    if (p + width < known.size()) spread_to(p + width);
  }
}

std::vector<float> filled_projection(const Acquisition& a, int view) {
  const std::span<const float> measured = a.projection(view);
  std::vector<float> image(measured.begin(), measured.end());
  fill_invalid(a.valid_pixels(view), a.detector.width_px, image);
  return image;
}

}  // namespace dsasrgs
