#include "tile/tile.hpp"

#include "common/checks.hpp"
#include "common/has_cuda.hpp"
#include "tile/tile_bodies.hpp"

namespace dsasrgs {

void tile_bin(Context& ctx, View<const PixelBox> box, const TileGrid& grid, TileLists& lists) {
  constexpr const char* kOp = "tile_bin";
  require_image(kOp, "image", grid.width_px, grid.height_px);
  require_image(kOp, "tile", grid.tile_width_px, grid.tile_height_px);
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::tile_bin(ctx, box, grid, lists);
  cpu::tile_bin(ctx, box, grid, lists);
}

}  // namespace dsasrgs
