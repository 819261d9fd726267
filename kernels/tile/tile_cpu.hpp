#pragma once

#include "tile/tile.hpp"

namespace dsasrgs::cpu {

void tile_bin(Context&, View<const PixelBox> box, const TileGrid&, TileLists&);

}  // namespace dsasrgs::cpu
