// SPDX-License-Identifier: Apache-2.0
// Binning by sorting: every Gaussian writes one pair of tile and Gaussian per tile it meets, in Gaussian order; a
// stable sort by tile then leaves the Gaussians of a tile together and ascending.

#include <algorithm>
#include <bit>
#include <limits>
#include <string>

#include "common/last_block.cuh"
#include "common/require.hpp"
#include "tile/tile_bodies.hpp"
#include "tile/tile_math.hpp"

namespace dsasrgs::cuda {

namespace {

/// Counts each Gaussian's tiles; their sum is added up in 64 bits, where it cannot overflow.
__global__ void __launch_bounds__(256)
    count_pairs_kernel(View<const PixelBox> box, TileFinder tiles_of, View<std::uint32_t> count,
                       unsigned long long* running_pairs, unsigned* blocks_done, unsigned long long* num_pairs) {
  const std::size_t i = thread_index();
  unsigned long long tiles = 0;
  if (i < box.size()) {
    tiles = tiles_of(box[i]).size();
    count[i] = static_cast<std::uint32_t>(tiles);
  }
  tiles = sum_over_lanes(tiles);
  if (lane_index() == 0 && tiles != 0) atomicAdd(running_pairs, tiles);
  if (is_last_block(blocks_done, gridDim.x) && threadIdx.x == 0) *num_pairs = atomicExch(running_pairs, 0ull);
}

/// Writes each Gaussian's pairs behind those of the Gaussians before it, as far as they fit. Slots that no pair uses
/// get the tile after the last, which sorts behind all others.
__global__ void __launch_bounds__(256)
    write_pairs_kernel(View<const PixelBox> box, TileFinder tiles_of, std::uint32_t columns, std::uint32_t num_tiles,
                       View<const std::uint32_t> offset, View<std::uint32_t> tile, View<std::uint32_t> gaussian) {
  const std::size_t i = thread_index();
  if (i < box.size()) {
    const TileRange r = tiles_of(box[i]);
    std::size_t slot = offset[i];
    for (std::uint32_t y = r.y_begin; y < r.y_end; ++y)
      for (std::uint32_t x = r.x_begin; x < r.x_end && slot < tile.size(); ++x, ++slot) {
        tile[slot] = y * columns + x;
        gaussian[slot] = static_cast<std::uint32_t>(i);
      }
  }
  if (i < tile.size() && i >= offset[box.size()]) {
    tile[i] = num_tiles;
    gaussian[i] = 0;
  }
}

/// begin[t] ← the first slot whose tile is t or later, by bisection: whatever the slots hold, it lies within them.
__global__ void __launch_bounds__(256) find_lists_kernel(View<const std::uint32_t> tile, View<std::uint32_t> begin) {
  const std::size_t t = thread_index();
  if (t >= begin.size()) return;
  std::size_t low = 0, high = tile.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (tile[middle] < t)
      low = middle + 1;
    else
      high = middle;
  }
  begin[t] = static_cast<std::uint32_t>(low);
}

void count_pairs(Context& ctx, View<const PixelBox> box, const TileGrid& grid, TileLists& lists) {
  const std::size_t n = box.size();
  lists.begin.resize(ctx, static_cast<std::size_t>(grid.size()) + 1);
  lists.pair_count.resize(ctx, n);
  lists.pair_offset.resize(ctx, n + 1);
  lists.num_pairs.resize(ctx, 1);
  if (lists.running_pairs.size() == 0) {
    lists.running_pairs = Buffer<unsigned long long>::zeros(ctx, 1);
    lists.blocks_done = Buffer<unsigned>::zeros(ctx, 1);
  }
  launch(ctx, "tile_bin: count", one_thread_each(std::max<std::size_t>(n, 1)), count_pairs_kernel, box,
         TileFinder(grid), lists.pair_count.view(), lists.running_pairs.data(), lists.blocks_done.data(),
         lists.num_pairs.data());
  exclusive_scan(ctx, lists.pair_count, lists.pair_offset, lists.sort_scan);
}

/// Waits for the number of pairs and refuses too many.
std::size_t wait_for_num_pairs(Context& ctx, const TileLists& lists) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int32_t>::max();  // what the sort takes
  const std::uint64_t pairs = lists.num_pairs.to_host(ctx)[0];
  require(pairs <= kMost, "tile_bin", "box: expected at most ", kMost, " pairs of Gaussian and tile, found ", pairs);
  return pairs;
}

void resize_lists(Context& ctx, TileLists& lists, std::size_t capacity) {
  lists.gaussian.resize(ctx, capacity);
  lists.unsorted_tile.resize(ctx, capacity);
  lists.unsorted_gaussian.resize(ctx, capacity);
  lists.tile.resize(ctx, capacity);
}

/// Fills the lists from what count_pairs left, using the first `slots` slots.
void fill_lists(Context& ctx, View<const PixelBox> box, const TileGrid& grid, TileLists& lists, std::size_t slots) {
  const auto num_tiles = static_cast<std::uint32_t>(grid.size());
  const View<std::uint32_t> unsorted_tile = lists.unsorted_tile.view().subview(0, slots),
                            unsorted_gaussian = lists.unsorted_gaussian.view().subview(0, slots),
                            tile = lists.tile.view().subview(0, slots);
  launch(ctx, "tile_bin: write pairs", one_thread_each(std::max(box.size(), slots)), write_pairs_kernel, box,
         TileFinder(grid), static_cast<std::uint32_t>(grid.columns()), num_tiles, lists.pair_offset.view(),
         unsorted_tile, unsorted_gaussian);
  sort_pairs(ctx, static_cast<int>(std::bit_width(num_tiles)), unsorted_tile, tile, unsorted_gaussian,
             lists.gaussian.view().subview(0, slots), lists.sort_scan);
  launch(ctx, "tile_bin: find lists", one_thread_each(lists.begin.size()), find_lists_kernel, tile, lists.begin.view());
}

}  // namespace

void tile_bin(Context& ctx, View<const PixelBox> box, const TileGrid& grid, TileLists& lists) {
  count_pairs(ctx, box, grid, lists);
  const std::size_t pairs = wait_for_num_pairs(ctx, lists);
  if (lists.gaussian.size() < pairs) resize_lists(ctx, lists, pairs);
  fill_lists(ctx, box, grid, lists, pairs);
}

void tile_bin_fit(Context& ctx, View<const PixelBox> box, const TileGrid& grid, std::size_t least_pairs,
                  TileLists& lists) {
  count_pairs(ctx, box, grid, lists);
  const std::size_t pairs = std::max(least_pairs, wait_for_num_pairs(ctx, lists));
  constexpr std::size_t kLeast = 1024;  // so that next to nothing visible at first still leaves some room
  resize_lists(ctx, lists, std::max(kLeast, pairs + pairs / 2));
  fill_lists(ctx, box, grid, lists, lists.gaussian.size());
}

void tile_bin_within_capacity(Context& ctx, View<const PixelBox> box, const TileGrid& grid, TileLists& lists) {
  count_pairs(ctx, box, grid, lists);
  fill_lists(ctx, box, grid, lists, lists.gaussian.size());
}

}  // namespace dsasrgs::cuda
