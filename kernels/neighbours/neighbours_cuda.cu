// Points are sorted along one axis; each thread then walks outwards from its own place, both ways, until the distance
// along that axis alone exceeds its third best. Exact, and the neighbouring threads of a warp read neighbouring points.
#include <bit>
#include <cmath>

#include "common/launch.cuh"
#include "common/sort_scan.hpp"
#include "neighbours/neighbours_bodies.hpp"

namespace dsasrgs::cuda {

namespace {

constexpr unsigned kThreads = 128;

/// Unsigned numbers in the order of floats; −0 and +0 are neighbours.
__device__ std::uint32_t ascending_key(float v) {
  const std::uint32_t bits = __float_as_uint(v);
  return (bits >> 31) != 0 ? ~bits : bits | 0x80000000u;
}
float value_of(std::uint32_t key) { return std::bit_cast<float>((key >> 31) != 0 ? key & 0x7fffffffu : ~key); }

/// Bounds as ascending keys; `high` starts from 0, `inverted_low` holds the complement of the least key and does too.
struct SpreadKeys {
  std::uint32_t high[3], inverted_low[3], not_finite;
};

__device__ std::uint32_t max_over_warp(std::uint32_t v) {
  for (int step = 16; step > 0; step /= 2) v = max(v, __shfl_xor_sync(kFullWarp, v, step));
  return v;
}

__global__ void __launch_bounds__(kThreads) find_spread(const float* position_mm, SpreadKeys* result, std::size_t n) {
  const std::size_t i = thread_index();
  const bool mine = i < n;
  bool finite = true;
  for (int a = 0; a < 3; ++a) {
    const float v = mine ? position_mm[3 * i + a] : 0.0f;
    finite = finite && std::isfinite(v);
    const std::uint32_t key = ascending_key(v);
    const std::uint32_t high = max_over_warp(mine ? key : 0), inverted_low = max_over_warp(mine ? ~key : 0);
    if (lane_index() == 0) {
      atomicMax(&result->high[a], high);
      atomicMax(&result->inverted_low[a], inverted_low);
    }
  }
  if (!finite) result->not_finite = 1;  // whoever writes, writes the same
}

__global__ void __launch_bounds__(kThreads)
    make_sort_keys(int axis, const float* position_mm, std::uint32_t* keys, std::uint32_t* indices, std::size_t n) {
  const std::size_t i = thread_index();
  if (i >= n) return;
  keys[i] = ascending_key(position_mm[3 * i + axis]);
  indices[i] = static_cast<std::uint32_t>(i);
}

/// points[k]: the k-th point along the axis, that coordinate first; w is unused.
__global__ void __launch_bounds__(kThreads)
    gather_points(int axis, const float* position_mm, const std::uint32_t* order, float4* points, std::size_t n) {
  const std::size_t k = thread_index();
  if (k >= n) return;
  const float* p = position_mm + 3 * std::size_t{order[k]};
  points[k] = make_float4(p[axis], p[(axis + 1) % 3], p[(axis + 2) % 3], 0.0f);
}

/// The three smallest squared distances so far, ascending.
struct Nearest3 {
  float a, b, c;

  __device__ void insert(float d2) {
    if (!(d2 < c)) return;
    c = max(b, min(c, d2));
    b = max(a, min(b, d2));
    a = min(a, d2);
  }
};

/// Squared distances in float are good to 3e-7: each difference of two floats is rounded once.
__device__ float squared_distance(float along, float4 p, float4 q) {
  const float y = p.y - q.y, z = p.z - q.z;
  return along * along + (y * y + z * z);
}

__global__ void __launch_bounds__(kThreads)
    search_outwards(const float4* points, const std::uint32_t* order, float* mean_squared_distance_mm2, std::size_t n) {
  const std::size_t at = thread_index();
  if (at >= n) return;
  const float4 p = points[at];
  Nearest3 nearest{INFINITY, INFINITY, INFINITY};
  std::size_t left = at, right = at + 1;  // next ones to look at: left − 1 and right
  bool more_left = true, more_right = true;
  while (more_left || more_right) {
    more_left = more_left && left > 0;
    if (more_left) {
      const float4 q = points[--left];
      const float along = p.x - q.x;
      more_left = along * along < nearest.c;
      if (more_left) nearest.insert(squared_distance(along, p, q));
    }
    more_right = more_right && right < n;
    if (more_right) {
      const float4 q = points[right++];
      const float along = q.x - p.x;
      more_right = along * along < nearest.c;
      if (more_right) nearest.insert(squared_distance(along, p, q));
    }
  }
  float mean = 0.0f;
  if (n > 3)
    mean = (nearest.a + nearest.b + nearest.c) / 3.0f;
  else if (n == 3)
    mean = (nearest.a + nearest.b) / 2.0f;
  else if (n == 2)
    mean = nearest.a;
  mean_squared_distance_mm2[order[at]] = mean;
}

}  // namespace

PointSpread spread_of_points(Context& ctx, View<const float> position_mm) {
  const std::size_t n = position_mm.size() / 3;
  Buffer<SpreadKeys> keys = Buffer<SpreadKeys>::zeros(ctx, 1);
  launch(ctx, "neighbours_find_spread", one_thread_each(n, kThreads), find_spread, position_mm.data(), keys.data(), n);
  const SpreadKeys found = keys.to_host(ctx)[0];
  PointSpread spread{found.not_finite == 0, 0};
  double widest = 0;
  for (int a = 0; a < 3; ++a) {
    const double width = static_cast<double>(value_of(found.high[a])) - value_of(~found.inverted_low[a]);
    if (!(width > widest)) continue;
    widest = width;
    spread.widest_axis = a;
  }
  return spread;
}

void neighbour_distances(Context& ctx, int sort_axis, View<const float> position_mm,
                         View<float> mean_squared_distance_mm2) {
  const std::size_t n = mean_squared_distance_mm2.size();
  const Grid grid = one_thread_each(n, kThreads);
  Buffer<std::uint32_t> keys(ctx, n), indices(ctx, n), sorted_keys(ctx, n), order(ctx, n);
  Buffer<float4> points(ctx, n);
  SortScanScratch scratch;
  launch(ctx, "neighbours_make_sort_keys", grid, make_sort_keys, sort_axis, position_mm.data(), keys.data(),
         indices.data(), n);
  sort_pairs(ctx, 32, keys, sorted_keys, indices, order, scratch);
  launch(ctx, "neighbours_gather_points", grid, gather_points, sort_axis, position_mm.data(), order.data(),
         points.data(), n);
  launch(ctx, "neighbours_search_outwards", grid, search_outwards, points.data(), order.data(),
         mean_squared_distance_mm2.data(), n);
}

}  // namespace dsasrgs::cuda
