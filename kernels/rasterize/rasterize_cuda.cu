// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "common/store.cuh"
#include "rasterize/rasterize_bodies.hpp"
#include "rasterize/rasterize_math.hpp"
#include "tile/tile_bodies.hpp"

namespace dsasrgs::cuda {

namespace {

// ---- both passes ----

/// 2^e for −126 ≤ e ≤ 1 without the care exp2f takes of results below the smallest normal number.
__device__ float exp2_normal(float e) {
#if defined(__CUDACC__)
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(e));
  return result;
#else
  return std::exp2(e);
#endif
}

__device__ float center_of(int pixel) { return static_cast<float>(pixel) + 0.5f; }

/// Whether a conic can be drawn.
__device__ bool is_drawable(const RasterizeInput& in, std::size_t i) {
  return in.conic[3 * i] > 0.0f && in.conic[3 * i + 2] > 0.0f;
}

__device__ GaussianFootprint<float> load_footprint(const RasterizeInput& in, std::size_t i) {
  return gaussian_footprint(in.mean_px[2 * i], in.mean_px[2 * i + 1], in.conic[3 * i], in.conic[3 * i + 1],
                            in.conic[3 * i + 2]);
}

// ---- forward ----
//
// A block of 256 threads adds Gaussians into a tile, one pixel per thread. A warp owns 8 × 4 pixels: its lanes test 32
// Gaussians' boxes against those at once and then all add the Gaussians that are left.

constexpr int kTileSide = 16;
constexpr unsigned kTilePixels = kTileSide * kTileSide;
constexpr int kWarpColumns = 8, kWarpRows = 4;
/// Gaussians a block stages at a time. A longer list is cut into parts of at least this many, each with a block of its
/// own, because the longest lists are many times the mean.
constexpr std::uint32_t kBatch = kTilePixels;

/// What binning left on the device.
struct Lists {
  View<const std::uint32_t> begin, gaussian, tile;
  const unsigned long long* num_pairs;

  __device__ std::uint32_t num_tiles() const { return static_cast<std::uint32_t>(begin.size() - 1); }
  /// False: the lists are unusable, every tile must look at all Gaussians.
  __device__ bool fit() const { return *num_pairs <= gaussian.size(); }
};

__device__ std::uint32_t num_parts(std::uint32_t length) { return length < 2 * kBatch ? 1 : length / kBatch; }

/// Part of a tile's list. Parts after the first start at least kBatch entries apart, so that the quotient of a start
/// and kBatch numbers them: that is their place in the array of partial sums, and of their block behind those of the
/// tiles.
struct Part {
  std::uint32_t tile, first, end;  ///< nothing to do: first = end
  bool is_first;
};
__device__ Part part_of_block(const Lists& lists, std::uint32_t num_gaussians) {
  const std::uint32_t tiles = lists.num_tiles();
  if (!lists.fit()) return {blockIdx.x, 0, blockIdx.x < tiles ? num_gaussians : 0, blockIdx.x < tiles};
  if (blockIdx.x < tiles) {
    const std::uint32_t begin = lists.begin[blockIdx.x], end = lists.begin[blockIdx.x + 1];
    return {blockIdx.x, begin, num_parts(end - begin) > 1 ? begin + kBatch : end, true};
  }
  // The part that starts in [position, position + kBatch), if any, belongs to the tile whose list contains position.
  const std::uint32_t position = (blockIdx.x - tiles) * kBatch;
  if (position >= *lists.num_pairs) return {0, 0, 0, false};
  const std::uint32_t tile = lists.tile[position], begin = lists.begin[tile], end = lists.begin[tile + 1];
  const std::uint32_t part = (position - begin + kBatch - 1) / kBatch, parts = num_parts(end - begin);
  if (part == 0 || part >= parts) return {0, 0, 0, false};
  const std::uint32_t first = begin + part * kBatch;
  return {tile, first, part + 1 == parts ? end : first + kBatch, false};
}

/// A thread's pixel within its tile.
struct TilePixel {
  int x, y;
};
__device__ TilePixel tile_pixel() {
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(lane_index());
  constexpr int kWarpsAcross = kTileSide / kWarpColumns;
  return {warp % kWarpsAcross * kWarpColumns + lane % kWarpColumns,
          warp / kWarpsAcross * kWarpRows + lane / kWarpColumns};
}

/// The bits [begin, end) of 16, both first moved into 0 … 16.
__device__ std::uint32_t bits_between(int begin, int end) {
  const int low = min(max(begin, 0), kTileSide), high = min(max(end, low), kTileSide);
  return (1u << high) - (1u << low);
}

/// Columns (low half) and rows (high half) of the tile that a box covers; 0 when it misses the tile.
__device__ std::uint32_t covered_bits(const PixelBox& box, int tile_x, int tile_y) {
  const std::uint32_t columns = bits_between(box.x_begin - tile_x, box.x_end - tile_x),
                      rows = bits_between(box.y_begin - tile_y, box.y_end - tile_y);
  return columns != 0 && rows != 0 ? columns | rows << kTileSide : 0;
}

/// Adds the Gaussians of a part of a tile's list, in the list's order: the first part into the image, others into
/// partial sums.
__global__ void __launch_bounds__(kTilePixels)
    add_gaussians_kernel(RasterizeInput in, Lists lists, int columns, View<float> image, View<float> partial) {
  __shared__ float4 shape[kBatch];   // mean x, mean y, shear, factor along a row
  __shared__ float2 height[kBatch];  // factor across rows, amplitude
  __shared__ std::uint32_t covers[kBatch];

  const Part part = part_of_block(lists, static_cast<std::uint32_t>(in.amplitude.size()));
  const bool listed = lists.fit();
  const TilePixel pixel = tile_pixel();
  const int tile_x = static_cast<int>(part.tile) % columns * kTileSide,
            tile_y = static_cast<int>(part.tile) / columns * kTileSide;
  const std::uint32_t own_bits = 1u << pixel.x | 1u << (pixel.y + kTileSide);
  const std::uint32_t warp_columns = 0xffu << (pixel.x & ~(kWarpColumns - 1)),
                      warp_rows = 0xfu << ((pixel.y & ~(kWarpRows - 1)) + kTileSide);
  const float x = center_of(tile_x + pixel.x), y = center_of(tile_y + pixel.y);

  float sum = 0;
  for (std::uint32_t first = part.first; first < part.end; first += kBatch) {
    const std::uint32_t count = min(kBatch, part.end - first);
    __syncthreads();  // everyone is done with the batch before
    std::uint32_t covered = 0;
    if (threadIdx.x < count) {
      const std::size_t i = listed ? lists.gaussian[first + threadIdx.x] : first + threadIdx.x;
      covered = covered_bits(clipped_box(in.box[i], in.width_px, in.height_px), tile_x, tile_y);
      const float amplitude = in.amplitude[i];
      if (covered != 0 && amplitude != 0.0f && is_drawable(in, i)) {
        const GaussianFootprint<float> k = load_footprint(in, i);
        shape[threadIdx.x] = make_float4(k.mean_x, k.mean_y, k.shear, k.along_row);
        height[threadIdx.x] = make_float2(k.across_rows, amplitude);
      } else {
        covered = 0;
      }
    }
    covers[threadIdx.x] = covered;
    __syncthreads();
    for (std::uint32_t group = 0; group < count; group += 32) {
      const std::uint32_t tested = covers[group + lane_index()];
      unsigned hits = __ballot_sync(kFullWarp, (tested & warp_columns) != 0 && (tested & warp_rows) != 0);
      while (hits != 0) {
        const std::uint32_t j = group + static_cast<std::uint32_t>(__ffs(hits)) - 1;
        hits &= hits - 1;
        const float4 s = shape[j];
        const float2 h = height[j];
        const GaussianFootprint<float> k{s.x, s.y, s.z, s.w, h.x};
        const float exponent = pixel_exponent(k, footprint_row(k, y), x);
        if ((covers[j] & own_bits) == own_bits && exponent >= kExponentFloor<float>)
          sum = __fmaf_rn(h.y, exp2_normal(exponent), sum);
      }
    }
  }

  if (part.is_first) {
    if (tile_x + pixel.x < in.width_px && tile_y + pixel.y < in.height_px)
      image[static_cast<std::size_t>(tile_y + pixel.y) * in.width_px + (tile_x + pixel.x)] = sum;
  } else if (part.first < part.end) {
    partial[std::size_t{part.first / kBatch} * kTilePixels + threadIdx.x] = sum;
  }
}

/// Adds the partial sums of tiles with long lists, in the list's order.
__global__ void __launch_bounds__(kTilePixels) add_partial_sums(Lists lists, int columns, int width_px, int height_px,
                                                                View<const float> partial, View<float> image) {
  const std::uint32_t begin = lists.begin[blockIdx.x], parts = num_parts(lists.begin[blockIdx.x + 1] - begin);
  if (parts == 1 || !lists.fit()) return;
  const TilePixel pixel = tile_pixel();
  const int x = static_cast<int>(blockIdx.x) % columns * kTileSide + pixel.x,
            y = static_cast<int>(blockIdx.x) / columns * kTileSide + pixel.y;
  if (x >= width_px || y >= height_px) return;
  float& sum = image[static_cast<std::size_t>(y) * width_px + x];
  float total = sum;
  for (std::uint32_t part = 1; part < parts; ++part)
    total += partial[std::size_t{begin / kBatch + part} * kTilePixels + threadIdx.x];
  sum = total;
}

// ---- backward ----
//
// Eight lanes gather the moments of a Gaussian with a small box, the whole warp those of one with a larger box.

constexpr int kGroup = 8;
constexpr int kSmallBox = 256;  // pixels

/// Adds one pixel to a lane's moments. Pixels outside count as zero whatever their upstream gradient holds.
__device__ void add_pixel(FootprintMoments<float>& m, const GaussianFootprint<float>& k, const FootprintRow<float>& row,
                          int x, float upstream) {
  const float center = center_of(x), exponent = pixel_exponent(k, row, center);
  const float w = exponent >= kExponentFloor<float> ? exp2_normal(exponent) * upstream : 0.0f;
  const float dx = center - k.mean_x, wx = w * dx, wy = w * row.dy;
  m.w += w;
  m.wx += wx;
  m.wy += wy;
  m.wxx += wx * dx;
  m.wxy += wx * row.dy;
  m.wyy += wy * row.dy;
}

/// One lane's share of a small box: the pixels are dealt out in reading order.
__device__ FootprintMoments<float> share_of_small_box(const GaussianFootprint<float>& k, const PixelBox& box,
                                                      View<const float> grad_image, int width_px) {
  FootprintMoments<float> m{};
  const int lane = static_cast<int>(lane_index()) % kGroup, width = box.x_end - box.x_begin;
  const int step_y = kGroup / width, step_x = kGroup - step_y * width;
  int y = box.y_begin + lane / width, x = box.x_begin + lane % width;
  while (y < box.y_end) {
    add_pixel(m, k, footprint_row(k, center_of(y)), x, grad_image[static_cast<std::size_t>(y) * width_px + x]);
    x += step_x;
    y += step_y;
    if (x >= box.x_end) {
      x -= width;
      ++y;
    }
  }
  return m;
}

/// One lane's share of a large box: groups of lanes take every fourth row, between the ends of the ellipse's chord
/// there, since a thin slanted ellipse fills little of its box.
__device__ FootprintMoments<float> share_of_large_box(const GaussianFootprint<float>& k, const PixelBox& box,
                                                      View<const float> grad_image, int width_px) {
  FootprintMoments<float> m{};
  const int lane = static_cast<int>(lane_index());
  for (int y = box.y_begin + lane / kGroup; y < box.y_end; y += 32 / kGroup) {
    const FootprintRow<float> row = footprint_row(k, center_of(y));
    // Slightly wider than the cut-off, so that rounding loses no pixel.
    const float below = kExponentFloor<float> * 1.00001f - row.exponent;
    const float half = below < 0.0f ? sqrtf(below / k.along_row) : 0.0f;
    constexpr float kMargin = 0.01f;
    const float low = row.center_x - half - (0.5f + kMargin), high = row.center_x + half - (0.5f - kMargin);
    const int begin = static_cast<int>(ceilf(fmaxf(static_cast<float>(box.x_begin), low)));
    const float last = fminf(static_cast<float>(box.x_end - 1), high);
    for (int x = begin + lane % kGroup; static_cast<float>(x) <= last; x += kGroup)
      add_pixel(m, k, row, x, grad_image[static_cast<std::size_t>(y) * width_px + x]);
  }
  return m;
}

template <int kLanes>
__device__ FootprintMoments<float> sum_of_shares(const FootprintMoments<float>& m) {
  return {sum_over_lanes<kLanes>(m.w),   sum_over_lanes<kLanes>(m.wx),  sum_over_lanes<kLanes>(m.wy),
          sum_over_lanes<kLanes>(m.wxx), sum_over_lanes<kLanes>(m.wxy), sum_over_lanes<kLanes>(m.wyy)};
}

__global__ void __launch_bounds__(256)
    gather_gradients(RasterizeInput in, View<const float> grad_image, GradientMode mode, RasterizeGradient out) {
  const std::size_t n = in.amplitude.size(), i = thread_index() / kGroup, first_of_warp = thread_index() / 32 * 4;
  const int group = static_cast<int>(lane_index()) / kGroup;
  PixelBox box{0, 0, 0, 0};
  if (i < n && is_drawable(in, i)) box = clipped_box(in.box[i], in.width_px, in.height_px);
  const std::int64_t pixels = box.empty() ? 0 : std::int64_t{box.x_end - box.x_begin} * (box.y_end - box.y_begin);

  FootprintMoments<float> moments{};
  if (pixels != 0 && pixels <= kSmallBox)
    moments = share_of_small_box(load_footprint(in, i), box, grad_image, in.width_px);
  moments = sum_of_shares<kGroup>(moments);

  unsigned large = __ballot_sync(kFullWarp, pixels > kSmallBox) & 0x01010101u;  // one bit per group
  while (large != 0) {
    const int owner = (__ffs(large) - 1) / kGroup;
    large &= large - 1;
    const std::size_t j = first_of_warp + static_cast<std::size_t>(owner);
    const PixelBox box_of_j = clipped_box(in.box[j], in.width_px, in.height_px);
    const FootprintMoments<float> sums =
        sum_of_shares<32>(share_of_large_box(load_footprint(in, j), box_of_j, grad_image, in.width_px));
    if (owner == group) moments = sums;
  }

  if (i >= n || lane_index() % kGroup != 0) return;
  FootprintGradient<float> g{};
  if (pixels != 0)
    g = footprint_vjp(moments, in.conic[3 * i], in.conic[3 * i + 1], in.conic[3 * i + 2], in.amplitude[i]);
  store(out.mean_px[2 * i], g.mean_x, mode);
  store(out.mean_px[2 * i + 1], g.mean_y, mode);
  store(out.conic[3 * i], g.conic_xx, mode);
  store(out.conic[3 * i + 1], g.conic_xy, mode);
  store(out.conic[3 * i + 2], g.conic_yy, mode);
  store(out.amplitude[i], g.amplitude, mode);
}

bool is_fitted(const RasterizeScratch& scratch, std::size_t n, const TileGrid& grid) {
  return scratch.fitted_gaussians == n && scratch.fitted_width_px == grid.width_px &&
         scratch.fitted_height_px == grid.height_px;
}

/// Bins the Gaussians; the first time for this many Gaussians and this image size, or when asked, the lists are sized
/// too.
void bin(Context& ctx, View<const PixelBox> box, const TileGrid& grid, RasterizeScratch& scratch) {
  const std::size_t n = box.size();
  if (!scratch.refit && is_fitted(scratch, n, grid)) return tile_bin_within_capacity(ctx, box, grid, scratch.tiles);
  scratch.fitted_gaussians = 0;  // stays so if this throws
  tile_bin_fit(ctx, box, grid, scratch.least_pairs, scratch.tiles);
  const std::size_t parts = scratch.tiles.gaussian.size() / kBatch + 1;
  scratch.partial.resize(ctx, parts * kTilePixels);
  scratch.fitted_gaussians = n;
  scratch.fitted_width_px = grid.width_px;
  scratch.fitted_height_px = grid.height_px;
  scratch.refit = false;
  scratch.least_pairs = 0;
}

}  // namespace

void rasterize_prepare(Context& ctx, int width_px, int height_px, View<const PixelBox> box, RasterizeScratch& scratch) {
  scratch.binned = false;  // stays so if this throws
  bin(ctx, box, {width_px, height_px, kTileSide, kTileSide}, scratch);
  scratch.binned = true;
}

void rasterize_forward(Context& ctx, const RasterizeInput& in, RasterizeScratch& scratch, View<float> image) {
  const TileGrid grid{in.width_px, in.height_px, kTileSide, kTileSide};
  if (!std::exchange(scratch.binned, false) || !is_fitted(scratch, in.box.size(), grid))
    bin(ctx, in.box, grid, scratch);
  const TileLists& tiles = scratch.tiles;
  const Lists lists{tiles.begin, tiles.gaussian, tiles.tile, tiles.num_pairs.data()};
  const auto num_tiles = static_cast<std::size_t>(grid.size());
  launch(ctx, "rasterize_forward", one_block_each(num_tiles + tiles.gaussian.size() / kBatch + 1, kTilePixels),
         add_gaussians_kernel, in, lists, grid.columns(), image, scratch.partial.view());
  launch(ctx, "rasterize_forward: partial sums", one_block_each(num_tiles, kTilePixels), add_partial_sums, lists,
         grid.columns(), in.width_px, in.height_px, scratch.partial.view(), image);
}

void rasterize_backward(Context& ctx, const RasterizeInput& in, View<const float> grad_image, GradientMode mode,
                        const RasterizeGradient& gradient) {
  launch(ctx, "rasterize_backward", lanes_each(in.amplitude.size(), kGroup), gather_gradients, in, grad_image, mode,
         gradient);
}

}  // namespace dsasrgs::cuda
