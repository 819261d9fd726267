// SPDX-License-Identifier: Apache-2.0
#pragma once
// The eight flips and quarter turns of an image.

#include <cstddef>
#include <span>
#include <vector>

namespace dsasrgs {

inline constexpr int kOrientations = 8;

/// Width and height are exchanged by every second four of them.
inline bool transposes(int orientation) { return (orientation & 4) != 0; }

/// Calls body(from, to) for every pixel of an image [H,W]: `to` is its index in the image turned so. Orientation 0
/// leaves it as it is; bit 0 mirrors columns, bit 1 rows, and bit 2 then transposes.
template <class Body>
void for_each_oriented(std::size_t width, std::size_t height, int orientation, Body&& body) {
  for (std::size_t row = 0; row < height; ++row)
    for (std::size_t column = 0; column < width; ++column) {
      const std::size_t c = (orientation & 1) != 0 ? width - 1 - column : column;
      const std::size_t r = (orientation & 2) != 0 ? height - 1 - row : row;
      body(row * width + column, transposes(orientation) ? c * height + r : r * width + c);
    }
}

}  // namespace dsasrgs
