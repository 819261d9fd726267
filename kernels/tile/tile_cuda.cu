// SPDX-License-Identifier: Apache-2.0
// Binning by counting: the pairs of every tile are counted, the lists laid end to end, and every Gaussian writes itself
// into its tiles' lists in any order. What a list holds is a set, so a block then writes it down in ascending order by
// way of a bit per Gaussian: the same lists, whatever came first.

#include <algorithm>
#include <limits>

#include "common/last_block.cuh"
#include "common/require.hpp"
#include "tile/tile_bodies.hpp"
#include "tile/tile_math.hpp"

namespace dsasrgs::cuda {

namespace {

constexpr unsigned kThreads = 256;
constexpr std::uint32_t kWindowWords = 8192;          // of bits: 32 KiB of shared memory
constexpr std::uint32_t kWindow = 32 * kWindowWords;  // Gaussians that a block looks for at a time

/// visit(tile, gaussian) for each tile that the boxes of a warp's lanes meet; all lanes take part. A box of many tiles
/// is shared by the warp.
template <class Visit>
__device__ void visit_pairs(View<const PixelBox> box, const TileFinder& tiles_of, std::uint32_t columns, Visit visit) {
  constexpr std::uint64_t kMany = 32;
  const std::size_t i = thread_index();
  const TileRange own = i < box.size() ? tiles_of(box[i]) : TileRange{0, 0, 0, 0};
  if (own.size() <= kMany)
    for (std::uint32_t y = own.y_begin; y < own.y_end; ++y)
      for (std::uint32_t x = own.x_begin; x < own.x_end; ++x) visit(y * columns + x, static_cast<std::uint32_t>(i));
  for (unsigned many = __ballot_sync(kFullWarp, own.size() > kMany); many != 0; many &= many - 1) {
    const int owner = __ffs(static_cast<int>(many)) - 1;
    const std::uint32_t x_begin = __shfl_sync(kFullWarp, own.x_begin, owner),
                        y_begin = __shfl_sync(kFullWarp, own.y_begin, owner),
                        width = __shfl_sync(kFullWarp, own.x_end - own.x_begin, owner),
                        height = __shfl_sync(kFullWarp, own.y_end - own.y_begin, owner);
    const auto gaussian = static_cast<std::uint32_t>(i - lane_index()) + static_cast<std::uint32_t>(owner);
    for (std::uint32_t k = lane_index(); k < width * height; k += 32)  // tiles have 31 bits
      visit((y_begin + k / width) * columns + x_begin + k % width, gaussian);
  }
}

/// Σ of v over the threads before this one, and over all of the block's in *total. All must take part.
template <class T>
__device__ T sum_before(T v, T* total) {
  __shared__ T of_warp[kThreads / 32];
  T up_to = v;
  for (unsigned step = 1; step < 32; step *= 2) {
    const T before = __shfl_up_sync(kFullWarp, up_to, step);
    if (lane_index() >= step) up_to += before;
  }
  if (lane_index() == 31) of_warp[threadIdx.x / 32] = up_to;
  __syncthreads();
  T warps = 0, all = 0;
  for (unsigned w = 0; w < kThreads / 32; ++w) {
    if (w < threadIdx.x / 32) warps += of_warp[w];
    all += of_warp[w];
  }
  __syncthreads();  // the next call writes of_warp
  *total = all;
  return warps + up_to - v;
}

/// This thread's share of n things that the block's threads divide in order: [first, end).
struct Share {
  std::uint32_t first, end;
  __device__ explicit Share(std::uint32_t n) {
    const std::uint32_t each = n / kThreads + (n % kThreads != 0);
    const std::uint64_t begin = std::uint64_t{threadIdx.x} * each;
    first = static_cast<std::uint32_t>(begin < n ? begin : n);
    end = n - first < each ? n : first + each;
  }
};

/// count [tiles], zero before and after: each tile's pairs. From them begin [tiles + 1] and cursor [tiles], where each
/// list begins, and the pairs of all, added up in 64 bits.
__global__ void __launch_bounds__(kThreads)
    count_pairs_kernel(View<const PixelBox> box, TileFinder tiles_of, std::uint32_t columns, View<std::uint32_t> count,
                       View<std::uint32_t> begin, View<std::uint32_t> cursor, unsigned* blocks_done,
                       unsigned long long* num_pairs) {
  visit_pairs(box, tiles_of, columns, [&](std::uint32_t tile, std::uint32_t) { atomicAdd(&count[tile], 1u); });
  if (!is_last_block(blocks_done, gridDim.x)) return;
  const auto tiles = static_cast<std::uint32_t>(cursor.size());
  const Share mine(tiles);
  unsigned long long sum = 0, total = 0;
  for (std::uint32_t t = mine.first; t < mine.end; ++t) sum += cursor[t] = atomicExch(&count[t], 0u);
  unsigned long long next = sum_before(sum, &total);
  for (std::uint32_t t = mine.first; t < mine.end; ++t) {
    const std::uint32_t pairs = cursor[t];
    begin[t] = cursor[t] = static_cast<std::uint32_t>(next);  // wrong where pairs need more bits, and unused then
    next += pairs;
  }
  if (threadIdx.x == 0) {
    begin[tiles] = static_cast<std::uint32_t>(total);
    *num_pairs = total;
  }
}

/// Writes each Gaussian into the lists of its tiles, in any order; nothing when they do not fit.
__global__ void __launch_bounds__(kThreads)
    write_pairs_kernel(View<const PixelBox> box, TileFinder tiles_of, std::uint32_t columns,
                       const unsigned long long* num_pairs, View<std::uint32_t> cursor, View<std::uint32_t> unsorted) {
  if (*num_pairs > unsorted.size()) return;
  visit_pairs(box, tiles_of, columns,
              [&](std::uint32_t tile, std::uint32_t gaussian) { unsorted[atomicAdd(&cursor[tile], 1u)] = gaussian; });
}

/// A tile's list in ascending order, and the tile of each of its places; a block per tile. Nothing when the lists do
/// not fit.
__global__ void __launch_bounds__(kThreads)
    sort_lists_kernel(std::uint32_t num_gaussians, const unsigned long long* num_pairs, View<const std::uint32_t> begin,
                      View<const std::uint32_t> unsorted, View<std::uint32_t> gaussian, View<std::uint32_t> tile) {
  __shared__ unsigned listed[kWindowWords];  // a bit per Gaussian of the window
  const std::uint32_t first = begin[blockIdx.x], end = begin[blockIdx.x + 1];
  if (*num_pairs > unsorted.size() || first == end) return;
  std::uint32_t slot = first;
  for (std::uint32_t window = 0;; window += kWindow) {
    const std::uint32_t left = num_gaussians - window;
    const std::uint32_t words = left < kWindow ? (left + 31) / 32 : kWindowWords;
    for (std::uint32_t w = threadIdx.x; w < words; w += kThreads) listed[w] = 0;
    __syncthreads();
    for (std::uint32_t e = first + threadIdx.x; e < end; e += kThreads) {
      const std::uint32_t bit = unsorted[e] - window;
      if (bit < kWindow) atomicOr(&listed[bit / 32], 1u << bit % 32);
    }
    __syncthreads();
    const Share mine(words);
    std::uint32_t found = 0, found_by_all = 0;
    for (std::uint32_t w = mine.first; w < mine.end; ++w) found += static_cast<std::uint32_t>(__popc(listed[w]));
    std::uint32_t next = slot + sum_before(found, &found_by_all);
    for (std::uint32_t w = mine.first; w < mine.end; ++w)
      for (unsigned bits = listed[w]; bits != 0; bits &= bits - 1, ++next) {
        gaussian[next] = window + 32 * w + static_cast<std::uint32_t>(__ffs(static_cast<int>(bits))) - 1;
        tile[next] = blockIdx.x;
      }
    if (left <= kWindow) return;
    slot += found_by_all;
    __syncthreads();
  }
}

void count_pairs(Context& ctx, View<const PixelBox> box, const TileGrid& grid, TileLists& lists) {
  const auto tiles = static_cast<std::size_t>(grid.size());
  lists.begin.resize(ctx, tiles + 1);
  lists.cursor.resize(ctx, tiles);
  lists.num_pairs.resize(ctx, 1);
  if (lists.count.size() < tiles) lists.count = Buffer<std::uint32_t>::zeros(ctx, tiles);
  if (lists.blocks_done.size() == 0) lists.blocks_done = Buffer<unsigned>::zeros(ctx, 1);
  launch(ctx, "tile_bin: count", one_thread_each(std::max<std::size_t>(box.size(), 1), kThreads), count_pairs_kernel,
         box, TileFinder(grid), static_cast<std::uint32_t>(grid.columns()), lists.count.view(), lists.begin.view(),
         lists.cursor.view(), lists.blocks_done.data(), lists.num_pairs.data());
}

/// Waits for the number of pairs and refuses too many.
std::size_t wait_for_num_pairs(Context& ctx, const TileLists& lists) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int32_t>::max();
  const std::uint64_t pairs = lists.num_pairs.to_host(ctx)[0];
  require(pairs <= kMost, "tile_bin", "box: expected at most ", kMost, " pairs of Gaussian and tile, found ", pairs);
  return pairs;
}

void resize_lists(Context& ctx, TileLists& lists, std::size_t capacity) {
  lists.gaussian.resize(ctx, capacity);
  lists.unsorted.resize(ctx, capacity);
  lists.tile.resize(ctx, capacity);
}

/// Fills the lists from what count_pairs left.
void fill_lists(Context& ctx, View<const PixelBox> box, const TileGrid& grid, TileLists& lists) {
  launch(ctx, "tile_bin: write pairs", one_thread_each(box.size(), kThreads), write_pairs_kernel, box, TileFinder(grid),
         static_cast<std::uint32_t>(grid.columns()), lists.num_pairs.data(), lists.cursor.view(),
         lists.unsorted.view());
  launch(ctx, "tile_bin: sort lists", one_block_each(static_cast<std::size_t>(grid.size()), kThreads),
         sort_lists_kernel, static_cast<std::uint32_t>(box.size()), lists.num_pairs.data(), lists.begin.view(),
         lists.unsorted.view(), lists.gaussian.view(), lists.tile.view());
}

}  // namespace

void tile_bin(Context& ctx, View<const PixelBox> box, const TileGrid& grid, TileLists& lists) {
  count_pairs(ctx, box, grid, lists);
  const std::size_t pairs = wait_for_num_pairs(ctx, lists);
  if (lists.gaussian.size() < pairs) resize_lists(ctx, lists, pairs);
  fill_lists(ctx, box, grid, lists);
}

void tile_bin_fit(Context& ctx, View<const PixelBox> box, const TileGrid& grid, std::size_t least_pairs,
                  TileLists& lists) {
  count_pairs(ctx, box, grid, lists);
  const std::size_t pairs = std::max(least_pairs, wait_for_num_pairs(ctx, lists));
  constexpr std::size_t kLeast = 1024;  // so that next to nothing visible at first still leaves some room
  resize_lists(ctx, lists, std::max(kLeast, pairs + pairs / 2));
  fill_lists(ctx, box, grid, lists);
}

void tile_bin_within_capacity(Context& ctx, View<const PixelBox> box, const TileGrid& grid, TileLists& lists) {
  count_pairs(ctx, box, grid, lists);
  fill_lists(ctx, box, grid, lists);
}

}  // namespace dsasrgs::cuda
