// SPDX-License-Identifier: Apache-2.0
#include "tile/tile.hpp"

#include <limits>

#include "common/checks.hpp"
#include "common/has_cuda.hpp"
#include "tile/tile_bodies.hpp"

namespace dsasrgs {

void tile_bin(Context& ctx, View<const PixelBox> box, const TileGrid& grid, TileLists& lists) {
  constexpr const char* kOp = "tile_bin";
  require_image(kOp, "image", grid.width_px, grid.height_px);
  require_image(kOp, "tile", grid.tile_width_px, grid.tile_height_px);
  const std::size_t tiles = num_elements(grid.columns(), grid.rows());
  require(tiles <= std::numeric_limits<int>::max(), kOp, "image: expected tiles that 31 bits can number, found ",
          tiles);
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::tile_bin(ctx, box, grid, lists);
  cpu::tile_bin(ctx, box, grid, lists);
}

}  // namespace dsasrgs
