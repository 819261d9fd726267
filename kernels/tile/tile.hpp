#pragma once
/// @file
/// Binning: which kernels touch which tile of the image.

#include <cstdint>

#include "project/project.hpp"

namespace dsasrgs {

/// An image of width × height pixels cut into tiles, row-major; the last row and column of tiles may be smaller.
struct TileGrid {
  int width_px = 0, height_px = 0;
  int tile_width_px = 0, tile_height_px = 0;
  int columns() const { return (width_px + tile_width_px - 1) / tile_width_px; }
  int rows() const { return (height_px + tile_height_px - 1) / tile_height_px; }
  int size() const { return columns() * rows(); }
};

/// Kernels by tile, in compressed rows: tile t holds kernel[begin[t] … begin[t+1]), ascending.
struct TileLists {
  Buffer<std::uint32_t> begin;   ///< [tiles + 1]
  Buffer<std::uint32_t> kernel;  ///< capacity ≥ begin.back(); grown when needed, never shrunk
};

/// Counts, scans and scatters: a kernel is listed in every tile its box meets; empty boxes are in none.
/// Deterministic (ascending kernel index within a tile). N = 0: all lists are empty.
/// Throws InvalidArgument for an empty image or tile, or when tiles × N entries exceed 2³² − 1.
void tile_bin(Context&, View<const PixelBox> box, const TileGrid&, TileLists&);

}  // namespace dsasrgs
