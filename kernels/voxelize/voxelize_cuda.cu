// SPDX-License-Identifier: Apache-2.0
// Forward: Gaussians are binned to bricks of the grid (count, scan, emit, stable sort), slab of z by slab so that the
// pairs are bounded in number; a block owns the voxels of a brick and adds its Gaussians in ascending order.

#include <algorithm>
#include <bit>
#include <vector>

#include "common/sort_scan.hpp"
#include "voxelize/voxelize_bodies.hpp"
#include "voxelize/voxelize_gaussians.cuh"

namespace dsasrgs::cuda {

namespace {

/// A brick is 8 × 8 × 8 voxels, a warp owns 4 × 4 × 2 of them.
constexpr int kBrick = 8, kSubX = 4, kSubY = 4, kSubZ = 2;
constexpr unsigned kBrickThreads = kBrick * kBrick * kBrick;

/// Pairs of Gaussian and brick that are binned at once: so many per Gaussian, and some.
constexpr std::size_t kPairsPerGaussian = 64, kSparePairs = 1 << 16;

__global__ void __launch_bounds__(128)
    set_up_kernel(GaussianView gaussians, View<const float> density, VolumeGrid grid, bool need_density, std::size_t n,
                  PackedGaussian* packed, VoxelBox* boxes) {
  const std::size_t i = thread_index();
  if (i >= n) return;
  const PlacedGaussian k = place_gaussian(grid, gaussians.bounds, raw_gaussian(gaussians, i), kBoxCutoff);
  const float rho = density[i];
  if (!k.seen || (need_density && rho == 0.0f)) {
    boxes[i] = {};
    return;
  }
  const auto f = [](double v) { return static_cast<float>(v); };
  const Mat3<double>& u = k.whitening;
  packed[i] = {make_float4(f(u.r0.x), f(u.r0.y), f(u.r0.z), f(u.r1.y)),
               make_float4(f(u.r1.z), f(u.r2.z), rho, f(1 / u.r0.x)),
               make_float4(f(k.x.anchor), f(k.y.anchor), f(k.z.anchor), 0),
               make_float4(f(k.x.offset), f(k.y.offset), f(k.z.offset), 0)};
  boxes[i] = {make_int4(k.x.begin, k.y.begin, k.z.begin, 0), make_int4(k.x.end, k.y.end, k.z.end, 0)};
}

/// Bricks of the grid, of which layers [z_begin, z_end) are worked on.
struct BrickSlab {
  int bricks_x, bricks_y;
  int z_begin, z_end;
};

/// The bricks a box touches within a slab.
struct BrickBox {
  int x, y, z;  ///< first
  unsigned size_x, size_y, size_z;

  __device__ unsigned count() const { return size_x * size_y * size_z; }
};
__device__ BrickBox bricks_of(const VoxelBox& box, int z_begin, int z_end) {
  if (is_empty(box)) return {};
  const int x = box.begin.x / kBrick, y = box.begin.y / kBrick, z = max(box.begin.z / kBrick, z_begin);
  const int end_z = min((box.end.z - 1) / kBrick + 1, z_end);
  return {x,
          y,
          z,
          static_cast<unsigned>((box.end.x - 1) / kBrick + 1 - x),
          static_cast<unsigned>((box.end.y - 1) / kBrick + 1 - y),
          static_cast<unsigned>(max(end_z - z, 0))};
}

/// layer_pairs[z] += pairs of Gaussian and brick in layer z of bricks. Whole numbers, so the order does not matter.
__global__ void __launch_bounds__(256)
    count_layer_pairs_kernel(const VoxelBox* boxes, std::size_t n, int num_layers, unsigned long long* layer_pairs) {
  const std::size_t i = thread_index();
  if (i >= n) return;
  const BrickBox b = bricks_of(boxes[i], 0, num_layers);
  for (unsigned z = 0; z < b.size_z; ++z)
    atomicAdd(layer_pairs + b.z + z, static_cast<unsigned long long>(b.size_x * b.size_y));
}

__global__ void __launch_bounds__(256)
    count_pairs_kernel(const VoxelBox* boxes, BrickSlab slab, View<std::uint32_t> counts) {
  const std::size_t i = thread_index();
  if (i < counts.size()) counts[i] = bricks_of(boxes[i], slab.z_begin, slab.z_end).count();
}

/// Lanes that write the pairs of one Gaussian.
constexpr unsigned kEmitLanes = 8;

/// Pairs of Gaussians first_gaussian + i at offsets[i]: keys are bricks of the slab, values are Gaussians.
__global__ void __launch_bounds__(256)
    emit_pairs_kernel(const VoxelBox* boxes, BrickSlab slab, std::uint32_t first_gaussian, std::size_t n,
                      const std::uint32_t* offsets, std::uint32_t* keys, std::uint32_t* gaussians) {
  const std::size_t i = thread_index() / kEmitLanes;
  if (i >= n) return;
  const BrickBox b = bricks_of(boxes[i], slab.z_begin, slab.z_end);
  const unsigned count = b.count();
  const std::size_t offset = offsets[i];
  for (unsigned j = lane_index() % kEmitLanes; j < count; j += kEmitLanes) {
    const unsigned row = j / b.size_x, x = j % b.size_x, y = row % b.size_y, z = row / b.size_y;
    keys[offset + j] = ((static_cast<unsigned>(b.z - slab.z_begin) + z) * static_cast<unsigned>(slab.bricks_y) +
                        (static_cast<unsigned>(b.y) + y)) *
                           static_cast<unsigned>(slab.bricks_x) +
                       (static_cast<unsigned>(b.x) + x);
    gaussians[offset + j] = first_gaussian + static_cast<std::uint32_t>(i);
  }
}

/// ranges[brick] ← the pairs [x, y) whose key it is; others stay as they are.
__global__ void __launch_bounds__(256)
    find_ranges_kernel(const std::uint32_t* keys, std::size_t num_pairs, uint2* ranges) {
  const std::size_t i = thread_index();
  if (i >= num_pairs) return;
  const std::uint32_t key = keys[i];
  if (i == 0 || keys[i - 1] != key) ranges[key].x = static_cast<std::uint32_t>(i);
  if (i + 1 == num_pairs || keys[i + 1] != key) ranges[key].y = static_cast<std::uint32_t>(i + 1);
}

struct GridSize {
  int x, y, z;
};

/// volume ← (accumulate ? volume : 0) + Σ ρ·G of the brick's Gaussians. A block per brick: each warp tests the boxes of
/// 32 Gaussians at once against its voxels, and adds those that meet them one by one, a voxel a lane.
__global__ void __launch_bounds__(kBrickThreads)
    voxelize_bricks_kernel(const PackedGaussian* packed, const VoxelBox* boxes, const std::uint32_t* gaussians,
                           const uint2* ranges, BrickSlab slab, GridSize size, bool accumulate, float* volume) {
  constexpr int kAcross = kBrick / kSubX, kDown = kBrick / kSubY;
  const uint2 range = ranges[blockIdx.x];
  if (accumulate && range.x == range.y) return;
  const int brick = static_cast<int>(blockIdx.x), warp = static_cast<int>(threadIdx.x / 32);
  const int lane = static_cast<int>(lane_index());
  const int x0 = brick % slab.bricks_x * kBrick + warp % kAcross * kSubX;
  const int y0 = brick / slab.bricks_x % slab.bricks_y * kBrick + warp / kAcross % kDown * kSubY;
  const int z0 = (slab.z_begin + brick / slab.bricks_x / slab.bricks_y) * kBrick + warp / (kAcross * kDown) * kSubZ;
  const int x = x0 + lane % kSubX, y = y0 + lane / kSubX % kSubY, z = z0 + lane / (kSubX * kSubY);
  const bool owned = x < size.x && y < size.y && z < size.z;
  const std::size_t voxel = (static_cast<std::size_t>(z) * size.y + y) * size.x + x;
  float sum = accumulate && owned ? volume[voxel] : 0.0f;
  const float fx = static_cast<float>(x), fy = static_cast<float>(y), fz = static_cast<float>(z);
  for (std::uint32_t begin = range.x; begin < range.y; begin += 32) {
    const std::uint32_t i = begin + static_cast<std::uint32_t>(lane);
    bool meets = false;
    if (i < range.y) {
      const VoxelBox box = boxes[gaussians[i]];
      meets = box.begin.x < x0 + kSubX && box.end.x > x0 && box.begin.y < y0 + kSubY && box.end.y > y0 &&
              box.begin.z < z0 + kSubZ && box.end.z > z0;
    }
    for (unsigned hits = __ballot_sync(kFullWarp, meets); hits != 0; hits &= hits - 1) {
      const PackedGaussian k = packed[gaussians[begin + static_cast<unsigned>(__ffs(hits)) - 1]];
      const Whitened w = whiten(k, fx, fy, fz);
      if (is_inside(w)) sum += k.rest.z * gaussian(w);
    }
  }
  if (owned) volume[voxel] = sum;
}

/// Memory of the pairs, kept from slab to slab.
struct PairScratch {
  Buffer<std::uint32_t> counts, offsets, keys, gaussians, sorted_keys, sorted_gaussians;
  Buffer<uint2> ranges;
  SortScanScratch sort_scan;
};

/// The first `size` elements of a buffer that only grows.
template <class T>
View<T> grown(Context& ctx, Buffer<T>& buffer, std::size_t size) {
  if (buffer.size() < size) buffer.resize(ctx, size);
  return buffer.view().subview(0, size);
}

/// The Gaussians [first, first + n) in the slab's voxels.
void voxelize_slab(Context& ctx, const VoxelGaussians& gaussians, GridSize size, BrickSlab slab, std::size_t first,
                   std::size_t n, bool accumulate, PairScratch& scratch, View<float> volume) {
  const VoxelBox* boxes = gaussians.boxes.data() + first;
  const View<std::uint32_t> counts = grown(ctx, scratch.counts, n), offsets = grown(ctx, scratch.offsets, n + 1);
  launch(ctx, "voxelize_count_pairs", one_thread_each(n), count_pairs_kernel, boxes, slab, counts);
  exclusive_scan(ctx, counts, offsets, scratch.sort_scan);
  std::uint32_t num_pairs = 0;
  copy_bytes_to_host(ctx, &num_pairs, offsets.data() + n, sizeof(num_pairs));

  const std::size_t num_bricks = static_cast<std::size_t>(slab.bricks_x) * static_cast<std::size_t>(slab.bricks_y) *
                                 static_cast<std::size_t>(slab.z_end - slab.z_begin);
  const View<uint2> ranges = grown(ctx, scratch.ranges, num_bricks);
  zero_bytes(ctx, ranges.data(), num_bricks * sizeof(uint2));
  const View<std::uint32_t> sorted = grown(ctx, scratch.sorted_gaussians, num_pairs);
  if (num_pairs > 0) {
    const View<std::uint32_t> keys = grown(ctx, scratch.keys, num_pairs),
                              values = grown(ctx, scratch.gaussians, num_pairs);
    const View<std::uint32_t> sorted_keys = grown(ctx, scratch.sorted_keys, num_pairs);
    launch(ctx, "voxelize_emit_pairs", lanes_each(n, kEmitLanes), emit_pairs_kernel, boxes, slab,
           static_cast<std::uint32_t>(first), n, offsets.data(), keys.data(), values.data());
    sort_pairs(ctx, std::max(1, static_cast<int>(std::bit_width(num_bricks - 1))), keys, sorted_keys, values, sorted,
               scratch.sort_scan);
    launch(ctx, "voxelize_find_ranges", one_thread_each(num_pairs), find_ranges_kernel, sorted_keys.data(),
           std::size_t{num_pairs}, ranges.data());
  }
  launch(ctx, "voxelize_bricks", one_block_each(num_bricks, kBrickThreads), voxelize_bricks_kernel,
         gaussians.packed.data(), gaussians.boxes.data(), sorted.data(), ranges.data(), slab, size, accumulate,
         volume.data());
}

}  // namespace

VoxelGaussians set_up_gaussians(Context& ctx, const VoxelizeInput& in, bool need_density) {
  const std::size_t n = in.gaussians.size();
  VoxelGaussians gaussians{Buffer<PackedGaussian>(ctx, n), Buffer<VoxelBox>(ctx, n)};
  launch(ctx, "voxelize_set_up", one_thread_each(n, 128), set_up_kernel, in.gaussians, in.density, in.grid,
         need_density, n, gaussians.packed.data(), gaussians.boxes.data());
  return gaussians;
}

void voxelize_forward(Context& ctx, const VoxelizeInput& in, View<float> volume) {
  const std::size_t n = in.gaussians.size();
  const GridSize size{in.grid.size_x, in.grid.size_y, in.grid.size_z};
  const auto bricks = [](int voxels) { return (voxels + kBrick - 1) / kBrick; };
  const int num_layers = bricks(size.z);
  const VoxelGaussians gaussians = set_up_gaussians(ctx, in, true);
  auto layer_pairs = Buffer<unsigned long long>::zeros(ctx, static_cast<std::size_t>(num_layers));
  launch(ctx, "voxelize_count_layer_pairs", one_thread_each(n), count_layer_pairs_kernel, gaussians.boxes.data(), n,
         num_layers, layer_pairs.data());
  const std::vector<unsigned long long> pairs = layer_pairs.to_host(ctx);

  const std::size_t capacity = kPairsPerGaussian * n + kSparePairs;
  BrickSlab slab{bricks(size.x), bricks(size.y), 0, 0};
  const std::size_t layer_bricks = static_cast<std::size_t>(slab.bricks_x) * static_cast<std::size_t>(slab.bricks_y);
  PairScratch scratch;
  while (slab.z_end < num_layers) {
    slab.z_begin = slab.z_end++;
    std::size_t slab_pairs = pairs[static_cast<std::size_t>(slab.z_begin)], slab_bricks = layer_bricks;
    for (; slab.z_end < num_layers; ++slab.z_end) {
      slab_pairs += pairs[static_cast<std::size_t>(slab.z_end)];
      slab_bricks += layer_bricks;
      if (slab_pairs > capacity || slab_bricks > capacity) break;
    }
    // A single layer can hold more than is allowed: then so many Gaussians at a time as surely fit.
    const bool fits = slab.z_end > slab.z_begin + 1 || pairs[static_cast<std::size_t>(slab.z_begin)] <= capacity;
    const std::size_t at_once = fits ? n : std::max<std::size_t>(1, capacity / layer_bricks);
    for (std::size_t first = 0; first < n; first += at_once)
      voxelize_slab(ctx, gaussians, size, slab, first, std::min(at_once, n - first), first > 0, scratch, volume);
  }
}

}  // namespace dsasrgs::cuda
