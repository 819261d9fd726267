// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which tiles a box of pixels meets.

#include <cstdint>

#include "dsasrgs/math.hpp"
#include "tile/tile.hpp"

namespace dsasrgs {

/// Columns [x_begin, x_end) and rows [y_begin, y_end) of tiles.
struct TileRange {
  std::uint32_t x_begin, y_begin, x_end, y_end;
  DSASRGS_HD std::uint64_t size() const {
    return static_cast<std::uint64_t>(x_end - x_begin) * static_cast<std::uint64_t>(y_end - y_begin);
  }
};

/// Division of any 32-bit number by a fixed one with products only: a truncated reciprocal is at most one too low.
struct TileDivider {
  std::uint32_t divisor;
  std::uint64_t reciprocal;  ///< ⌊2³²/divisor⌋
  explicit TileDivider(int d)
      : divisor(static_cast<std::uint32_t>(d)), reciprocal((std::uint64_t{1} << 32) / divisor) {}
  DSASRGS_HD std::uint32_t operator()(std::int32_t x) const {
    const auto value = static_cast<std::uint32_t>(x);
    const auto quotient = static_cast<std::uint32_t>((value * reciprocal) >> 32);
    return quotient + (value - quotient * divisor >= divisor ? 1u : 0u);
  }
};

/// Finds the tiles a box meets.
struct TileFinder {
  std::int32_t width_px, height_px;
  bool one_column;
  TileDivider column_of, row_of;
  explicit TileFinder(const TileGrid& grid)
      : width_px(grid.width_px),
        height_px(grid.height_px),
        one_column(grid.columns() == 1),
        column_of(grid.tile_width_px),
        row_of(grid.tile_height_px) {}
  /// Tiles met by the part of the box inside the image; empty when there is none.
  DSASRGS_HD TileRange operator()(const PixelBox& box) const {
    const std::int32_t x0 = box.x_begin > 0 ? box.x_begin : 0, y0 = box.y_begin > 0 ? box.y_begin : 0;
    const std::int32_t x1 = box.x_end < width_px ? box.x_end : width_px;
    const std::int32_t y1 = box.y_end < height_px ? box.y_end : height_px;
    if (x0 >= x1 || y0 >= y1) return {0, 0, 0, 0};
    if (one_column) return {0, row_of(y0), 1, row_of(y1 - 1) + 1};
    return {column_of(x0), row_of(y0), column_of(x1 - 1) + 1, row_of(y1 - 1) + 1};
  }
};

}  // namespace dsasrgs
