// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <string>

#include "common/host_vector.hpp"
#include "common/parallel.hpp"
#include "common/require.hpp"
#include "tile/tile_bodies.hpp"
#include "tile/tile_math.hpp"

namespace dsasrgs::cpu {

namespace {

// Gaussians are cut into at most kMaxChunks consecutive chunks; each counts and scatters on its own. Because a tile's
// entries are laid out chunk by chunk, the lists are ascending however the Gaussians are cut.
constexpr std::size_t kMaxChunks = 16, kMinChunk = 8192;

/// Refuses boxes that meet too many tiles. Counting is only needed where the worst case would be too many.
void check_num_pairs(View<const PixelBox> box, const TileFinder& tiles_of, std::uint64_t tiles) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  if (box.size() <= kMost / tiles) return;
  std::uint64_t pairs = 0;
  for (const PixelBox& b : box) pairs += tiles_of(b).size();
  require(pairs <= kMost, "tile_bin", "box: expected at most ", kMost, " pairs of Gaussian and tile, found ", pairs);
}

template <class Visit>
void for_each_tile(const TileRange& r, std::uint32_t columns, Visit&& visit) {
  if (columns == 1) {  // row bands: the first is visited without a loop, since most boxes meet only one
    if (r.y_begin == r.y_end) return;
    visit(r.y_begin);
    for (std::uint32_t y = r.y_begin + 1; y < r.y_end; ++y) visit(y);
    return;
  }
  for (std::uint32_t y = r.y_begin; y < r.y_end; ++y)
    for (std::uint32_t x = r.x_begin; x < r.x_end; ++x) visit(y * columns + x);
}

}  // namespace

void tile_bin(Context& ctx, View<const PixelBox> box, const TileGrid& grid, TileLists& lists) {
  const std::size_t n = box.size(), tiles = static_cast<std::size_t>(grid.size());
  const TileFinder tiles_of(grid);
  const auto columns = static_cast<std::uint32_t>(grid.columns());
  check_num_pairs(box, tiles_of, tiles);

  const std::size_t chunk = std::max(kMinChunk, (n + kMaxChunks - 1) / kMaxChunks);
  const std::size_t chunks = (n + chunk - 1) / chunk;

  // next[c·tiles + t] counts chunk c's entries in tile t, then becomes where its next entry goes.
  HostVector<std::uint32_t> next(chunks * tiles);
  parallel_for(ctx, chunks, [&](std::size_t c) {
    std::uint32_t* count = next.data() + c * tiles;
    for (std::size_t i = c * chunk; i < std::min(n, (c + 1) * chunk); ++i)
      for_each_tile(tiles_of(box[i]), columns, [count](std::uint32_t t) { ++count[t]; });
  });
  lists.begin.resize(ctx, tiles + 1);
  std::uint32_t* const begin = lists.begin.data();
  std::uint32_t sum = 0;
  for (std::size_t t = 0; t < tiles; ++t) {
    begin[t] = sum;
    for (std::size_t c = 0; c < chunks; ++c) {
      const std::uint32_t count = next[c * tiles + t];
      next[c * tiles + t] = sum;
      sum += count;
    }
  }
  begin[tiles] = sum;
  if (lists.gaussian.size() < sum) lists.gaussian.resize(ctx, sum);
  std::uint32_t* const gaussian = lists.gaussian.data();
  parallel_for(ctx, chunks, [&](std::size_t c) {
    std::uint32_t* place = next.data() + c * tiles;
    for (std::size_t i = c * chunk; i < std::min(n, (c + 1) * chunk); ++i)
      for_each_tile(tiles_of(box[i]), columns,
                    [&](std::uint32_t t) { gaussian[place[t]++] = static_cast<std::uint32_t>(i); });
  });
}

}  // namespace dsasrgs::cpu
