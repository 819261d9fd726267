// SPDX-License-Identifier: Apache-2.0
#pragma once
// Numbers that are not finite, refused by their place.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "dsasrgs/error.hpp"
#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

[[noreturn]] inline void refuse_not_finite(const char* function, const std::string& where, float found) {
  throw InvalidArgument(std::string(function) + ": " + where + ": expected a finite number, found " +
                        std::to_string(found));
}

inline std::string pixel_name(std::size_t i, int width_px) {
  const auto width = static_cast<std::size_t>(width_px);
  return "pixel (row " + std::to_string(i / width) + ", column " + std::to_string(i % width) + ")";
}

/// Throws InvalidArgument naming the view and the first pixel that is not finite; where there are `valid` ones, only
/// those count.
inline void require_finite_pixels(const char* function, const char* what, int view, std::span<const float> image,
                                  int width_px, std::span<const std::uint8_t> valid = {}) {
  for (std::size_t i = 0; i < image.size(); ++i)
    if (!std::isfinite(image[i]) && (valid.empty() || valid[i] != 0))
      refuse_not_finite(
          function, std::string(what) + " of view " + std::to_string(view) + ": " + pixel_name(i, width_px), image[i]);
}

/// Throws InvalidArgument naming the first voxel that is not finite.
inline void require_finite_voxels(const char* function, const char* what, std::span<const float> volume,
                                  const VolumeGrid& grid) {
  const auto size_x = static_cast<std::size_t>(grid.size_x), size_y = static_cast<std::size_t>(grid.size_y);
  for (std::size_t i = 0; i < volume.size(); ++i)
    if (!std::isfinite(volume[i]))
      refuse_not_finite(function,
                        std::string(what) + ": voxel (x " + std::to_string(i % size_x) + ", y " +
                            std::to_string(i / size_x % size_y) + ", z " + std::to_string(i / size_x / size_y) + ")",
                        volume[i]);
}

}  // namespace dsasrgs
