// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <type_traits>

#include "common/host_vector.hpp"
#include "common/last_block.cuh"
#include "common/store.cuh"
#include "hash_grid/hash_grid_bodies.hpp"
#include "hash_grid/hash_grid_math.hpp"

namespace dsasrgs::cuda {

namespace {

constexpr unsigned kThreads = 256;
constexpr std::size_t kMaxLevels = 32;  // of one launch

using Formulas = HashGridFormulas<OnePoint<float>>;
using Pair = FeaturePair<float>;
constexpr int kCorners = 8;

/// Levels of one launch, passed by value: the y-coordinate of a block chooses one.
struct Levels {
  HashLevelBlock level[kMaxLevels];
  const Pair* entries[kMaxLevels];
};

/// Calls run(levels, first, count) for every kMaxLevels of all grids.
template <class Run>
void in_launches(std::span<const HashGridInput> grids, Run&& run) {
  const HostVector<HashGridRow> all = hash_grid_rows(grids);
  for (std::size_t first = 0; first < all.size(); first += kMaxLevels) {
    const std::size_t count = std::min(kMaxLevels, all.size() - first);
    Levels levels{};
    for (std::size_t l = 0; l < count; ++l) {
      levels.level[l] = all[first + l].block;
      levels.entries[l] = reinterpret_cast<const Pair*>(all[first + l].entries);
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

__device__ Formulas::Point locate(const HashLevelBlock& level, const UnitBox& box, const float* position,
                                  std::size_t point) {
  const float* const p = position + 3 * point;
  return Formulas::locate(level, to_unit(box, 0, p[0]), to_unit(box, 1, p[1]), to_unit(box, 2, p[2]));
}

/// run(number of slices in time) with that of a level, the same for a block, as a type.
template <class Run>
__device__ void with_slices(const HashLevelBlock& level, Run&& run) {
  if (level.num_slices == 1)
    run(std::integral_constant<int, 1>());
  else
    run(std::integral_constant<int, 2>());
}

__global__ void __launch_bounds__(kThreads, 8)
    encode_kernel(const Levels levels, const UnitBox box, const float* position, std::size_t n, float* features) {
  const std::size_t i = thread_index();
  if (i >= n) return;
  const HashLevelBlock& level = levels.level[blockIdx.y];
  const Formulas::Point p = locate(level, box, position, i);
  float* row = features + std::size_t{kHashFeatures} * blockIdx.y * n + i;
  with_slices(level, [&](auto slices) {
    const Pair value = Formulas::interpolate(level, levels.entries[blockIdx.y], p, Formulas::fractions(p),
                                             decltype(slices)::value, level.dense)
                           .value;
    row[0] = value.first;
    row[n] = value.second;
  });
}

/// Exponent k of the fixed-point unit 2^-k in which sums of n shares of at most `largest` stay below
/// 2^fixed_point::kBits. At most 126: that unit is the smallest normal float.
__device__ int fixed_point_exponent(unsigned largest_bits, int log2_points) {
  const int above = static_cast<int>(largest_bits >> 23) - 126;  // largest < 2^above
  return min(fixed_point::kBits - log2_points - above, 126);
}
__device__ float power_of_two(int exponent) { return __uint_as_float(static_cast<unsigned>(exponent + 127) << 23); }
/// 1/p of a power of two.
__device__ float reciprocal_of_power(float p) { return __uint_as_float((254u << 23) - __float_as_uint(p)); }

/// unit [levels] ← that of each level's sums, from its largest finite |gradient|, whose bits order as the numbers do.
/// largest [2, levels]: zero before and after.
__global__ void __launch_bounds__(kThreads)
    find_units_kernel(const float* grad_features, std::size_t count, int log2_points, unsigned* largest, float* unit) {
  constexpr unsigned kInfinity = 0x7f800000u;
  const float* row = grad_features + blockIdx.y * count;
  unsigned most = 0;
  for (std::size_t i = thread_index(); i < count; i += std::size_t{gridDim.x} * blockDim.x) {
    const unsigned bits = __float_as_uint(row[i]) & 0x7fffffffu;
    if (bits < kInfinity) most = max(most, bits);
  }
  for (int step = 16; step > 0; step /= 2) most = max(most, __shfl_xor_sync(kFullWarp, most, step));
  if (lane_index() == 0 && most > 0) atomicMax(largest + blockIdx.y, most);
  if (!is_last_block(largest + gridDim.y + blockIdx.y, gridDim.x) || threadIdx.x != 0) return;
  unit[blockIdx.y] = power_of_two(-fixed_point_exponent(atomicExch(largest + blockIdx.y, 0u), log2_points));
}

/// Two features' sums in fixed point.
struct alignas(16) FixedPair {
  long long first, second;
};

/// factor: 1 / the sum's unit.
__device__ void add_share(long long& sum, float share, float factor) {
  auto* const to = reinterpret_cast<unsigned long long*>(&sum);
  if (!(fabsf(share) < INFINITY)) {
    atomicExch(to, static_cast<unsigned long long>(fixed_point::kNotFinite));
    return;
  }
  const long long fixed = __float2ll_rn(share * factor);
  if (fixed != 0) atomicAdd(to, static_cast<unsigned long long>(fixed));
}

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

/// What the backward pass reads and adds to.
struct Scatter {
  UnitBox box;
  const float* position;
  std::size_t n;
  const float* grad_features;
  FixedPair* sums[kMaxLevels];  ///< of each level of the launch
  const float* unit;            ///< of each
  float* position_shares;
};

template <int kSlices, bool kPosition>
__device__ void scatter_level(const Levels& levels, const Scatter& a) {
  const std::size_t i = thread_index();
  const bool is_point = i < a.n;
  const HashLevelBlock& level = levels.level[blockIdx.y];
  // A lane beyond the last point joins in with a gradient of zero at that point.
  const Formulas::Point p = locate(level, a.box, a.position, is_point ? i : a.n - 1);
  const Formulas::Fractions f = Formulas::fractions(p);
  const float* row = a.grad_features + std::size_t{kHashFeatures} * blockIdx.y * a.n;
  const Pair grad = is_point ? Pair{row[i], row[a.n + i]} : Pair{0, 0};
  if (kPosition && is_point) {
    float sum[3] = {0, 0, 0};
    Formulas::add_position_gradient(
        p, Formulas::interpolate(level, levels.entries[blockIdx.y], p, f, kSlices, level.dense), grad, sum);
    float* to = a.position_shares + std::size_t{3} * blockIdx.y * a.n + i;
    for (int d = 0; d < 3; ++d) to[static_cast<std::size_t>(d) * a.n] = sum[d];
  }
  // The time slices' weights come last, so that neighbours' shares are added up for both at once.
  Pair share[kCorners];
  Formulas::spread(f, grad, share);
  if (!merge_same_cells(p, share)) return;
  FixedPair* const sums = a.sums[blockIdx.y];
  const float factor = reciprocal_of_power(a.unit[blockIdx.y]);
#pragma unroll
  for (int slice = 0; slice < kSlices; ++slice) {
    const float weight = kSlices == 1 ? 1.0f : level.slice_weight[slice];
    std::uint32_t entry[kCorners];
    Formulas::corners(level, p, slice, level.dense, entry);
#pragma unroll
    for (int c = 0; c < kCorners; ++c) {
      add_share(sums[entry[c]].first, weight * share[c].first, factor);
      add_share(sums[entry[c]].second, weight * share[c].second, factor);
    }
  }
}

/// Blocks of scatter_kernel<true> that a multiprocessor's registers serve: for compute capability 8.0 ptxas needs more.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ == 800
constexpr int kPositionBlocks = 4;
#else
constexpr int kPositionBlocks = 5;
#endif

/// Adds to the levels' sums and, with kPosition, leaves each level's share [3,n] in the gradients of the positions in
/// the box.
template <bool kPosition>
__global__ void __launch_bounds__(kThreads, kPosition ? kPositionBlocks : 6)
    scatter_kernel(const Levels levels, const Scatter a) {
  if (levels.level[blockIdx.y].num_slices == 1)
    scatter_level<1, kPosition>(levels, a);
  else
    scatter_level<2, kPosition>(levels, a);
}

/// grad_position [n,3] ← or += Σ of the levels' shares in the box [levels,3,n], in order.
__global__ void __launch_bounds__(kThreads)
    add_position_shares_kernel(const float* shares, std::size_t n, std::size_t num_levels, const UnitBox box,
                               GradientMode mode, float* grad_position) {
  const std::size_t i = thread_index(), d = blockIdx.y;
  if (i >= n) return;
  float sum = 0;
  for (std::size_t l = 0; l < num_levels; ++l) sum += shares[(3 * l + d) * n + i];
  store(grad_position[3 * i + d], to_unit_vjp(box, d, sum), mode);
}

__global__ void __launch_bounds__(kThreads)
    take_gradient_kernel(long long* sums, std::size_t n, const float* unit, float* gradient) {
  const std::size_t i = thread_index();
  if (i >= n) return;
  gradient[i] += fixed_point::value(sums[i], *unit);
  sums[i] = 0;
}

}  // namespace

void hash_grid_forward(Context& ctx, std::span<const HashGridInput> grids, View<float> features) {
  const View<const float> position = grids[0].position;
  const std::size_t n = position.size() / 3;
  in_launches(grids, [&](const Levels& levels, std::size_t first, std::size_t count) {
    launch(ctx, "hash_grid_forward", elements_by_levels(n, count), encode_kernel, levels, grids[0].box, position.data(),
           n, features.data() + kHashFeatures * first * n);
  });
}

void hash_grid_backward(Context& ctx, std::span<const HashGridInput> grids, View<const float> grad_features,
                        const HashGridGradient& gradient, HashGridScratch& scratch) {
  const View<const float> position = grids[0].position;
  const std::size_t n = position.size() / 3, num_levels = scratch.level_begin.size() - 1;
  const bool to_position = !gradient.position.empty();
  if (to_position && scratch.position_shares.size() < num_levels * 3 * n)
    scratch.position_shares.resize(ctx, num_levels * 3 * n);

  constexpr std::size_t kGradientsPerThread = 8;  // most of the work is waiting for them
  Grid grid = one_thread_each((kHashFeatures * n + kGradientsPerThread - 1) / kGradientsPerThread, kThreads);
  grid.blocks.y = static_cast<unsigned>(num_levels);
  launch(ctx, "hash_grid_units", grid, find_units_kernel, grad_features.data(), kHashFeatures * n,
         static_cast<int>(std::bit_width(n - 1)), scratch.largest_gradient.data(), scratch.unit.data());

  in_launches(grids, [&](const Levels& levels, std::size_t first, std::size_t count) {
    Scatter arguments{grids[0].box,
                      position.data(),
                      n,
                      grad_features.data() + kHashFeatures * first * n,
                      {},
                      scratch.unit.data() + first,
                      to_position ? scratch.position_shares.data() + 3 * first * n : nullptr};
    for (std::size_t l = 0; l < count; ++l)
      arguments.sums[l] = reinterpret_cast<FixedPair*>(scratch.table_sums.data() + scratch.level_begin[first + l]);
    launch(ctx, "hash_grid_backward", elements_by_levels(n, count),
           to_position ? scatter_kernel<true> : scatter_kernel<false>, levels, arguments);
  });
  if (!to_position) return;
  grid = one_thread_each(n, kThreads);
  grid.blocks.y = 3;
  launch(ctx, "add_position_shares", grid, add_position_shares_kernel, scratch.position_shares.data(), n, num_levels,
         grids[0].box, gradient.position_mode, gradient.position.data());
}

void hash_grid_take_gradient(Context& ctx, HashGridScratch& scratch, std::size_t first_level, std::size_t end_level,
                             View<float> gradient) {
  const std::size_t first = scratch.level_begin[first_level];
  for (std::size_t l = first_level; l < end_level; ++l) {
    const std::size_t begin = scratch.level_begin[l], size = scratch.level_begin[l + 1] - begin;
    launch(ctx, "hash_grid_take_gradient", one_thread_each(size, kThreads), take_gradient_kernel,
           scratch.table_sums.data() + begin, size, scratch.unit.data() + l, gradient.data() + (begin - first));
  }
}

}  // namespace dsasrgs::cuda
