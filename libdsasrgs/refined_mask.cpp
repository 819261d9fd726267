// SPDX-License-Identifier: Apache-2.0
#include "refined_mask.hpp"

namespace dsasrgs {

std::vector<std::uint8_t> refined_mask(std::span<const std::uint8_t> mask, const Detector& detector, int scale) {
  const auto s = static_cast<std::size_t>(scale), low_width = static_cast<std::size_t>(detector.width_px);
  const std::size_t width = low_width * s;
  std::vector<std::uint8_t> fine(mask.size() * s * s);
  for (std::size_t i = 0; i < fine.size(); ++i) fine[i] = mask[i / width / s * low_width + i % width / s];
  return fine;
}

}  // namespace dsasrgs
