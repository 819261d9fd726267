// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Binning: which Gaussians touch which tile of the image.

#include <cstdint>

#include "dsasrgs/buffer.hpp"
#include "project/project.hpp"

namespace dsasrgs {

/// An image of width × height pixels cut into tiles, row-major; the last row and column of tiles may be smaller.
struct TileGrid {
  int width_px = 0, height_px = 0;
  int tile_width_px = 0, tile_height_px = 0;
  int columns() const { return 1 + (width_px - 1) / tile_width_px; }
  int rows() const { return 1 + (height_px - 1) / tile_height_px; }
  int size() const { return columns() * rows(); }
};

/// Gaussians by tile, in compressed rows: tile t holds gaussian[begin[t] … begin[t+1]), ascending.
struct TileLists {
  Buffer<std::uint32_t> begin;     ///< [tiles + 1]
  Buffer<std::uint32_t> gaussian;  ///< capacity ≥ begin.back(); grown when needed, never shrunk

  // Scratch memory of the CUDA backend.
  Buffer<std::uint32_t> count;           ///< [≥ tiles] zero between calls
  Buffer<std::uint32_t> cursor;          ///< [tiles] the next free place of each list
  Buffer<unsigned long long> num_pairs;  ///< [1] also right when it does not fit 32 bits
  Buffer<unsigned> blocks_done;          ///< [1] zero between calls
  Buffer<std::uint32_t> unsorted, tile;  ///< [gaussian.size()] Gaussians, each list in any order; each place's tile
};

/// Counts, scans and scatters: a Gaussian is listed in every tile its box meets; empty boxes are in none.
/// Deterministic (ascending Gaussian index within a tile). N = 0: all lists are empty.
/// Throws InvalidArgument for an empty image or tile, for 2³¹ tiles or more, or when there are more than 2³² − 1
/// entries (CUDA: 2³¹ − 1). On CUDA it waits for their number.
void tile_bin(Context&, View<const PixelBox> box, const TileGrid&, TileLists&);

}  // namespace dsasrgs
