#include <algorithm>
#include <bit>
#include <cstdint>

#include "common/launch.cuh"
#include "common/require.hpp"
#include "hash_grid/hash_grid_bodies.hpp"
#include "hash_grid/hash_grid_corners.cuh"

namespace dsasrgs::cuda {

namespace {

constexpr unsigned kThreads = 256;
constexpr std::size_t kMaxLevels = 32;  // of one launch

/// Levels of one launch, passed by value: the y-coordinate of a block chooses one.
struct Levels {
  HashLevelBlock level[kMaxLevels];
  std::uint32_t offset[kMaxLevels];  ///< first entry in the table
  std::uint32_t entries[kMaxLevels];
};

/// Calls run(levels, first, count) for every kMaxLevels of them.
template <class Run>
void in_launches(const std::vector<HashGridLevel>& all, int dimensions, float time, Run&& run) {
  for (std::size_t first = 0; first < all.size(); first += kMaxLevels) {
    const std::size_t count = std::min(kMaxLevels, all.size() - first);
    Levels levels{};
    for (std::size_t l = 0; l < count; ++l) {
      levels.level[l] = HashLevelBlock(all[first + l], dimensions, time);
      levels.offset[l] = all[first + l].offset;
      levels.entries[l] = all[first + l].entries;
    }
    run(levels, first, count);
  }
}

/// A thread for each of n elements in each level. Blocks of a level come one after the other, so that one level's
/// entries are in the cache at a time.
Grid elements_by_levels(std::size_t n, std::size_t num_levels) {
  Grid grid = one_thread_each(n, kThreads);
  grid.blocks.y = static_cast<unsigned>(num_levels);
  return grid;
}

template <int kSlices>
__global__ void __launch_bounds__(kThreads)
    encode_kernel(const Levels levels, const float* position, std::size_t n, const float2* table, float* features) {
  const std::size_t i = thread_index();
  if (i >= n) return;
  const HashLevelBlock& level = levels.level[blockIdx.y];
  const PointInLevel p = locate(level, position, i);
  float2 corner[kCorners];
  gather<kSlices>(level, p, table + levels.offset[blockIdx.y], corner);
  const float2 value = trilinear(p, corner);
  float* row = features + std::size_t{kHashFeatures} * blockIdx.y * n + i;
  row[0] = value.x;
  row[n] = value.y;
}

/// largest[level] ← bits of the largest finite |gradient| of the level, which order as the numbers do.
__global__ void __launch_bounds__(kThreads)
    find_largest_kernel(const float* grad_features, std::size_t count, unsigned* largest) {
  constexpr unsigned kInfinity = 0x7f800000u;
  const float* row = grad_features + blockIdx.y * count;
  unsigned most = 0;
  for (std::size_t i = thread_index(); i < count; i += std::size_t{gridDim.x} * blockDim.x) {
    const unsigned bits = __float_as_uint(row[i]) & 0x7fffffffu;
    if (bits < kInfinity) most = max(most, bits);
  }
  for (int step = 16; step > 0; step /= 2) most = max(most, __shfl_xor_sync(kFullWarp, most, step));
  if (lane_index() == 0 && most > 0) atomicMax(largest + blockIdx.y, most);
}

/// Exponent k of the fixed-point unit 2^-k in which sums of n shares of at most `largest` stay below 2^62. At most 126:
/// that unit is the smallest normal float.
__device__ int fixed_point_exponent(unsigned largest_bits, int log2_points) {
  const int above = static_cast<int>(largest_bits >> 23) - 126;  // largest < 2^above
  return min(62 - log2_points - above, 126);
}
__device__ float power_of_two(int exponent) { return __uint_as_float(static_cast<unsigned>(exponent + 127) << 23); }

/// Adds to entries' gradients in float, without order.
struct AtomicSums {
  float2* entries;
  __device__ AtomicSums level(std::uint32_t offset, unsigned) const { return {entries + offset}; }
  __device__ void add(std::uint32_t entry, float2 share) const {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
    atomicAdd(entries + entry, share);
#else
    atomicAdd(&entries[entry].x, share.x);
    atomicAdd(&entries[entry].y, share.y);
#endif
  }
};

/// Two features' sums in fixed point.
struct alignas(16) FixedPair {
  long long x, y;
};
/// Adds to entries' fixed-point sums; a share that is not finite goes to the float gradient at once, where it stays so.
struct FixedPointSums {
  FixedPair* sums;
  float2* entries;
  const unsigned* largest;
  int log2_points;
  float factor;
  __device__ FixedPointSums level(std::uint32_t offset, unsigned l) const {
    return {sums + offset, entries + offset, largest, log2_points,
            power_of_two(fixed_point_exponent(largest[l], log2_points))};
  }
  __device__ void add_one(long long* sum, float* gradient, float share) const {
    if (!(fabsf(share) < INFINITY)) {
      atomicAdd(gradient, share);
      return;
    }
    const long long fixed = __float2ll_rn(share * factor);
    if (fixed != 0) atomicAdd(reinterpret_cast<unsigned long long*>(sum), static_cast<unsigned long long>(fixed));
  }
  __device__ void add(std::uint32_t entry, float2 share) const {
    add_one(&sums[entry].x, &entries[entry].x, share.x);
    add_one(&sums[entry].y, &entries[entry].y, share.y);
  }
};

/// Neighbouring lanes in the same cell add up their shares by a segmented scan, so that the first lane of each such run
/// brings them all to memory: in coarse levels many points share a cell, and Gaussians stored close together lie close
/// together. Returns whether this lane is a first one. The order of addition is fixed.
__device__ bool merge_same_cells(const PointInLevel& p, float2 (&share)[kCorners]) {
  const unsigned lane = lane_index();
  const std::uint32_t x = __shfl_up_sync(kFullWarp, p.x.vertex[0], 1), y = __shfl_up_sync(kFullWarp, p.y.vertex[0], 1),
                      z = __shfl_up_sync(kFullWarp, p.z.vertex[0], 1);
  const bool first = lane == 0 || x != p.x.vertex[0] || y != p.y.vertex[0] || z != p.z.vertex[0];
  const unsigned firsts = __ballot_sync(kFullWarp, first);
  const unsigned later = lane == 31 ? 0 : firsts >> (lane + 1);  // runs that begin after this lane
  const unsigned run_end = later == 0 ? 32 : lane + static_cast<unsigned>(__ffs(static_cast<int>(later)));
  for (unsigned step = 1; __any_sync(kFullWarp, lane + step < run_end); step *= 2) {
#pragma unroll
    for (int c = 0; c < kCorners; ++c) {
      const float other_x = __shfl_down_sync(kFullWarp, share[c].x, step),
                  other_y = __shfl_down_sync(kFullWarp, share[c].y, step);
      if (lane + step < run_end) {
        share[c].x += other_x;
        share[c].y += other_y;
      }
    }
  }
  return first;
}

/// Shares of one level in the gradients of its entries and, with kPosition, of the positions.
template <int kSlices, bool kPosition, class Sums>
__global__ void __launch_bounds__(kThreads)
    scatter_kernel(const Levels levels, const float* position, std::size_t n, const float2* table,
                   const float* grad_features, Sums table_sums, float* position_shares) {
  const std::size_t i = thread_index();
  const bool is_point = i < n;
  const HashLevelBlock& level = levels.level[blockIdx.y];
  // A lane beyond the last point joins in with a gradient of zero at that point.
  const PointInLevel p = locate(level, position, is_point ? i : n - 1);
  const float* row = grad_features + std::size_t{kHashFeatures} * blockIdx.y * n;
  const float2 grad = is_point ? make_float2(row[i], row[n + i]) : make_float2(0, 0);
  if (kPosition && is_point) {
    float2 corner[kCorners];
    gather<kSlices>(level, p, table + levels.offset[blockIdx.y], corner);
    const float3 g = trilinear_vjp(p, corner, grad);
    float* to = position_shares + std::size_t{3} * blockIdx.y * n + i;
    to[0] = g.x;
    to[n] = g.y;
    to[2 * n] = g.z;
  }
  float2 share[kCorners];
  spread(p, grad, share);
  if (!merge_same_cells(p, share)) return;
  const Sums sums = table_sums.level(levels.offset[blockIdx.y], blockIdx.y);
#pragma unroll
  for (int slice = 0; slice < kSlices; ++slice) {
    const float weight = kSlices == 1 ? 1.0f : level.slice_weight[slice];
    for_each_corner(level, p, slice, [&](int c, std::uint32_t entry) {
      sums.add(entry, make_float2(weight * share[c].x, weight * share[c].y));
    });
  }
}

/// Adds the fixed-point sums to the gradient and leaves them zero for the next call.
__global__ void __launch_bounds__(kThreads) add_fixed_point_kernel(const Levels levels, FixedPointSums table_sums) {
  const std::size_t entry = thread_index();
  if (entry >= levels.entries[blockIdx.y]) return;
  const FixedPointSums sums = table_sums.level(levels.offset[blockIdx.y], blockIdx.y);
  const FixedPair sum = sums.sums[entry];
  if (sum.x == 0 && sum.y == 0) return;
  sums.sums[entry] = {0, 0};
  const float unit = power_of_two(-fixed_point_exponent(sums.largest[blockIdx.y], sums.log2_points));
  float2 grad = sums.entries[entry];
  grad.x += static_cast<float>(sum.x) * unit;
  grad.y += static_cast<float>(sum.y) * unit;
  sums.entries[entry] = grad;
}

/// grad_position [n,3] ← or += Σ of the levels' shares [levels,3,n], in order.
__global__ void __launch_bounds__(kThreads)
    add_position_shares_kernel(const float* shares, std::size_t n, std::size_t num_levels, bool overwrite,
                               float* grad_position) {
  const std::size_t i = thread_index(), d = blockIdx.y;
  if (i >= n) return;
  float sum = overwrite ? 0.0f : grad_position[3 * i + d];
  for (std::size_t l = 0; l < num_levels; ++l) sum += shares[(3 * l + d) * n + i];
  grad_position[3 * i + d] = sum;
}

void require_aligned(const char* op, const char* what, const float* p) {
  require(reinterpret_cast<std::uintptr_t>(p) % alignof(float2) == 0, op,
          std::string(what) + ": expected memory aligned to 8 bytes");
}

/// What a backward pass works on.
struct Backward {
  Context& ctx;
  const std::vector<HashGridLevel>& levels;
  const HashGridInput& input;
  View<const float> grad_features;
  int dimensions;
  float* position_shares;  ///< null: gradients of positions are not wanted

  template <class Sums>
  void scatter(const Sums& all_sums) const {
    const std::size_t n = input.position.size() / 3;
    in_launches(levels, dimensions, input.time, [&](const Levels& some, std::size_t first, std::size_t count) {
      Sums sums = all_sums;
      if constexpr (std::is_same_v<Sums, FixedPointSums>) sums.largest += first;
      const auto run = [&](auto kernel) {
        launch(ctx, "hash_grid_backward", elements_by_levels(n, count), kernel, some, input.position.data(), n,
               reinterpret_cast<const float2*>(input.table.data()), grad_features.data() + kHashFeatures * first * n,
               sums, position_shares == nullptr ? nullptr : position_shares + 3 * first * n);
        if constexpr (std::is_same_v<Sums, FixedPointSums>) {
          const std::uint32_t most = *std::max_element(some.entries, some.entries + count);
          launch(ctx, "add_fixed_point", elements_by_levels(most, count), add_fixed_point_kernel, some, sums);
        }
      };
      if (dimensions == 3)
        position_shares == nullptr ? run(scatter_kernel<1, false, Sums>) : run(scatter_kernel<1, true, Sums>);
      else
        position_shares == nullptr ? run(scatter_kernel<2, false, Sums>) : run(scatter_kernel<2, true, Sums>);
    });
  }
};

}  // namespace

void hash_grid_forward(Context& ctx, int dimensions, const std::vector<HashGridLevel>& levels,
                       const HashGridInput& input, View<float> features) {
  require_aligned("hash_grid_forward", "table", input.table.data());
  const std::size_t n = input.position.size() / 3;
  in_launches(levels, dimensions, input.time, [&](const Levels& some, std::size_t first, std::size_t count) {
    launch(ctx, "hash_grid_forward", elements_by_levels(n, count),
           dimensions == 3 ? encode_kernel<1> : encode_kernel<2>, some, input.position.data(), n,
           reinterpret_cast<const float2*>(input.table.data()), features.data() + kHashFeatures * first * n);
  });
}

void hash_grid_backward(Context& ctx, int dimensions, const std::vector<HashGridLevel>& levels,
                        const HashGridInput& input, View<const float> grad_features, View<float> grad_table,
                        GradientMode mode, View<float> grad_position, HashGridScratch& scratch, GradientSum sum) {
  require_aligned("hash_grid_backward", "table", input.table.data());
  require_aligned("hash_grid_backward", "grad_table", grad_table.data());
  const std::size_t n = input.position.size() / 3, num_levels = levels.size();
  Backward backward{ctx, levels, input, grad_features, dimensions, nullptr};
  if (!grad_position.empty()) {
    if (scratch.position_shares.size() < 3 * num_levels * n)
      scratch.position_shares = Buffer<float>(ctx, 3 * num_levels * n);
    backward.position_shares = scratch.position_shares.data();
  }

  float2* const entries = reinterpret_cast<float2*>(grad_table.data());
  if (sum == GradientSum::atomic) {
    backward.scatter(AtomicSums{entries});
  } else {
    if (scratch.table_sums.size() < grad_table.size())
      scratch.table_sums = Buffer<long long>::zeros(ctx, grad_table.size());
    if (scratch.largest_gradient.size() < num_levels) scratch.largest_gradient = Buffer<unsigned>(ctx, num_levels);
    unsigned* const largest = scratch.largest_gradient.data();
    zero_bytes(ctx, largest, num_levels * sizeof(unsigned));
    constexpr std::size_t kGradientsPerThread = 8;  // most of the work is waiting for them
    Grid grid = one_thread_each((kHashFeatures * n + kGradientsPerThread - 1) / kGradientsPerThread, kThreads);
    grid.blocks.y = static_cast<unsigned>(num_levels);
    launch(ctx, "find_largest_gradient", grid, find_largest_kernel, grad_features.data(), kHashFeatures * n, largest);
    const int log2_points = static_cast<int>(std::bit_width(n - 1));
    backward.scatter(
        FixedPointSums{reinterpret_cast<FixedPair*>(scratch.table_sums.data()), entries, largest, log2_points, 1.0f});
  }
  if (grad_position.empty()) return;
  Grid grid = one_thread_each(n, kThreads);
  grid.blocks.y = 3;
  launch(ctx, "add_position_shares", grid, add_position_shares_kernel, backward.position_shares, n, num_levels,
         mode == GradientMode::overwrite, grad_position.data());
}

}  // namespace dsasrgs::cuda
