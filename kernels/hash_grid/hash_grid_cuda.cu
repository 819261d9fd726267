// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cstdint>

#include "common/host_vector.hpp"
#include "common/launch.cuh"
#include "hash_grid/hash_grid_bodies.hpp"
#include "hash_grid/hash_grid_math.hpp"

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
void in_launches(const HashGridInput& in, Run&& run) {
  const HostVector<HashGridLevel> all = hash_grid_levels(in.shape);
  for (std::size_t first = 0; first < all.size(); first += kMaxLevels) {
    const std::size_t count = std::min(kMaxLevels, all.size() - first);
    Levels levels{};
    for (std::size_t l = 0; l < count; ++l) {
      levels.level[l] = HashLevelBlock(all[first + l], in.shape.dimensions, in.time);
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

using Formulas = HashGridFormulas<OnePoint<float>>;
using Pair = FeaturePair<float>;
constexpr int kCorners = 8;

__device__ Formulas::Point locate(const HashLevelBlock& level, const float* position, std::size_t point) {
  const float* const p = position + 3 * point;
  return Formulas::locate(level, p[0], p[1], p[2]);
}

template <int kSlices>
__global__ void __launch_bounds__(kThreads) encode_kernel(const Levels levels, const float* position, std::size_t n,
                                                          const Pair* __restrict__ table, float* features) {
  const std::size_t i = thread_index();
  if (i >= n) return;
  const HashLevelBlock& level = levels.level[blockIdx.y];
  const Formulas::Point p = locate(level, position, i);
  const Pair value =
      Formulas::interpolate(level, table + levels.offset[blockIdx.y], p, Formulas::fractions(p), kSlices, level.dense)
          .value;
  float* row = features + std::size_t{kHashFeatures} * blockIdx.y * n + i;
  row[0] = value.first;
  row[n] = value.second;
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

/// Two features' sums in fixed point.
struct alignas(16) FixedPair {
  long long first, second;
};
/// Adds to entries' fixed-point sums; a share that is not finite goes to the float gradient at once, where it stays so.
struct FixedPointSums {
  FixedPair* sums;
  Pair* entries;
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
  __device__ void add(std::uint32_t entry, Pair share) const {
    add_one(&sums[entry].first, &entries[entry].first, share.first);
    add_one(&sums[entry].second, &entries[entry].second, share.second);
  }
};

/// Neighbouring lanes in the same cell add up their shares by a segmented scan, so that the first lane of each such run
/// brings them all to memory: in coarse levels many points share a cell, and Gaussians stored close together lie close
/// together. Returns whether this lane is a first one. The order of addition is fixed.
__device__ bool merge_same_cells(const Formulas::Point& p, Pair (&share)[kCorners]) {
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
      const Pair other{__shfl_down_sync(kFullWarp, share[c].first, step),
                       __shfl_down_sync(kFullWarp, share[c].second, step)};
      if (lane + step < run_end) {
        share[c].first += other.first;
        share[c].second += other.second;
      }
    }
  }
  return first;
}

/// Shares of one level in the gradients of its entries and, with kPosition, of the positions.
template <int kSlices, bool kPosition>
__global__ void __launch_bounds__(kThreads)
    scatter_kernel(const Levels levels, const float* position, std::size_t n, const Pair* __restrict__ table,
                   const float* grad_features, FixedPointSums table_sums, float* position_shares) {
  const std::size_t i = thread_index();
  const bool is_point = i < n;
  const HashLevelBlock& level = levels.level[blockIdx.y];
  // A lane beyond the last point joins in with a gradient of zero at that point.
  const Formulas::Point p = locate(level, position, is_point ? i : n - 1);
  const Formulas::Fractions f = Formulas::fractions(p);
  const float* row = grad_features + std::size_t{kHashFeatures} * blockIdx.y * n;
  const Pair grad = is_point ? Pair{row[i], row[n + i]} : Pair{0, 0};
  if (kPosition && is_point) {
    float sum[3] = {0, 0, 0};
    Formulas::add_position_gradient(
        p, Formulas::interpolate(level, table + levels.offset[blockIdx.y], p, f, kSlices, level.dense), grad, sum);
    float* to = position_shares + std::size_t{3} * blockIdx.y * n + i;
    for (int d = 0; d < 3; ++d) to[static_cast<std::size_t>(d) * n] = sum[d];
  }
  // The time slices' weights come last, so that neighbours' shares are added up for both at once.
  Pair share[kCorners];
  Formulas::spread(f, grad, share);
  if (!merge_same_cells(p, share)) return;
  const FixedPointSums sums = table_sums.level(levels.offset[blockIdx.y], blockIdx.y);
#pragma unroll
  for (int slice = 0; slice < kSlices; ++slice) {
    const float weight = kSlices == 1 ? 1.0f : level.slice_weight[slice];
    std::uint32_t entry[kCorners];
    Formulas::corners(level, p, slice, level.dense, entry);
#pragma unroll
    for (int c = 0; c < kCorners; ++c) sums.add(entry[c], weight * share[c]);
  }
}

/// Adds the fixed-point sums to the gradient and leaves them zero for the next call.
__global__ void __launch_bounds__(kThreads) add_fixed_point_kernel(const Levels levels, FixedPointSums table_sums) {
  const std::size_t entry = thread_index();
  if (entry >= levels.entries[blockIdx.y]) return;
  const FixedPointSums sums = table_sums.level(levels.offset[blockIdx.y], blockIdx.y);
  const FixedPair sum = sums.sums[entry];
  if (sum.first == 0 && sum.second == 0) return;
  sums.sums[entry] = {0, 0};
  const float unit = power_of_two(-fixed_point_exponent(sums.largest[blockIdx.y], sums.log2_points));
  Pair grad = sums.entries[entry];
  grad.first += static_cast<float>(sum.first) * unit;
  grad.second += static_cast<float>(sum.second) * unit;
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

/// Scatters all levels; position_shares is null where gradients of positions are not wanted.
void scatter(Context& ctx, const HashGridInput& in, View<const float> grad_features, const FixedPointSums& all_sums,
             float* position_shares) {
  const std::size_t n = in.position.size() / 3;
  const bool in_time = in.shape.dimensions == 4;
  const auto kernel = position_shares == nullptr ? (in_time ? scatter_kernel<2, false> : scatter_kernel<1, false>)
                                                 : (in_time ? scatter_kernel<2, true> : scatter_kernel<1, true>);
  in_launches(in, [&](const Levels& some, std::size_t first, std::size_t count) {
    FixedPointSums sums = all_sums;
    sums.largest += first;
    launch(ctx, "hash_grid_backward", elements_by_levels(n, count), kernel, some, in.position.data(), n,
           reinterpret_cast<const Pair*>(in.table.data()), grad_features.data() + kHashFeatures * first * n, sums,
           position_shares == nullptr ? nullptr : position_shares + 3 * first * n);
    const std::uint32_t most = *std::max_element(some.entries, some.entries + count);
    launch(ctx, "add_fixed_point", elements_by_levels(most, count), add_fixed_point_kernel, some, sums);
  });
}

}  // namespace

void hash_grid_forward(Context& ctx, const HashGridInput& in, View<float> features) {
  const std::size_t n = in.position.size() / 3;
  in_launches(in, [&](const Levels& levels, std::size_t first, std::size_t count) {
    launch(ctx, "hash_grid_forward", elements_by_levels(n, count),
           in.shape.dimensions == 3 ? encode_kernel<1> : encode_kernel<2>, levels, in.position.data(), n,
           reinterpret_cast<const Pair*>(in.table.data()), features.data() + kHashFeatures * first * n);
  });
}

void hash_grid_backward(Context& ctx, const HashGridInput& in, View<const float> grad_features,
                        const HashGridGradient& gradient, HashGridScratch& scratch) {
  const std::size_t n = in.position.size() / 3, num_levels = grad_features.size() / (kHashFeatures * n);
  if (scratch.table_sums.size() < gradient.table.size()) {
    scratch.table_sums.resize(ctx, gradient.table.size());
    zero_bytes(ctx, scratch.table_sums.data(), gradient.table.size() * sizeof(long long));
  }
  if (scratch.largest_gradient.size() < num_levels) scratch.largest_gradient.resize(ctx, num_levels);
  if (scratch.position_shares.size() < num_levels * gradient.position.size())
    scratch.position_shares.resize(ctx, num_levels * gradient.position.size());

  unsigned* const largest = scratch.largest_gradient.data();
  zero_bytes(ctx, largest, num_levels * sizeof(unsigned));
  constexpr std::size_t kGradientsPerThread = 8;  // most of the work is waiting for them
  Grid grid = one_thread_each((kHashFeatures * n + kGradientsPerThread - 1) / kGradientsPerThread, kThreads);
  grid.blocks.y = static_cast<unsigned>(num_levels);
  launch(ctx, "find_largest_gradient", grid, find_largest_kernel, grad_features.data(), kHashFeatures * n, largest);

  const bool to_position = !gradient.position.empty();
  const FixedPointSums sums{reinterpret_cast<FixedPair*>(scratch.table_sums.data()),
                            reinterpret_cast<Pair*>(gradient.table.data()), largest,
                            static_cast<int>(std::bit_width(n - 1)), 1.0f};
  scatter(ctx, in, grad_features, sums, to_position ? scratch.position_shares.data() : nullptr);
  if (!to_position) return;
  grid = one_thread_each(n, kThreads);
  grid.blocks.y = 3;
  launch(ctx, "add_position_shares", grid, add_position_shares_kernel, scratch.position_shares.data(), n, num_levels,
         gradient.position_mode == GradientMode::overwrite, gradient.position.data());
}

}  // namespace dsasrgs::cuda
