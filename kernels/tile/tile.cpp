#include "tile/tile.hpp"

#include "common/has_cuda.hpp"
#include "common/require.hpp"
#include "tile/tile_bodies.hpp"

namespace dsasrgs {

void tile_bin(Context& ctx, View<const PixelBox> box, const TileGrid& grid, TileLists& lists) {
  constexpr const char* kOp = "tile_bin";
  require(grid.width_px > 0 && grid.height_px > 0, kOp,
          "image: expected at least 1 x 1 pixels, found " + std::to_string(grid.width_px) + " x " +
              std::to_string(grid.height_px));
  require(grid.tile_width_px > 0 && grid.tile_height_px > 0, kOp,
          "tile: expected at least 1 x 1 pixels, found " + std::to_string(grid.tile_width_px) + " x " +
              std::to_string(grid.tile_height_px));
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::tile_bin(ctx, box, grid, lists);
  cpu::tile_bin(ctx, box, grid, lists);
}

}  // namespace dsasrgs
