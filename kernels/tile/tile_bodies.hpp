// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of tile.hpp on both backends; arguments are already validated.

#include "tile/tile.hpp"

namespace dsasrgs::cpu {

void tile_bin(Context&, View<const PixelBox> box, const TileGrid&, TileLists&);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void tile_bin(Context&, View<const PixelBox> box, const TileGrid&, TileLists&);

/// Sizes the lists for these boxes, or for `least_pairs` if that is more, with head-room of a half, then bins them.
/// Waits and allocates.
void tile_bin_fit(Context&, View<const PixelBox> box, const TileGrid&, std::size_t least_pairs, TileLists&);

/// Bins into lists fitted to as many Gaussians and the same tiles; neither waits nor allocates. The lists hold nothing
/// of use when num_pairs[0] > gaussian.size(), which only the device knows.
void tile_bin_within_capacity(Context&, View<const PixelBox> box, const TileGrid&, TileLists&);

}  // namespace dsasrgs::cuda
