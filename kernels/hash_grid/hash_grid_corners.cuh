#pragma once
// The eight corners around a point in one level, as one CUDA thread sees them. Grids in time have two slices of them.

#include <cuda_runtime.h>

#include "hash_grid/hash_grid_block.hpp"

namespace dsasrgs::cuda {

/// Bit 0, 1, 2 of a corner's number say whether it is the upper one in x, y, z.
inline constexpr int kCorners = 8;

struct PointInLevel {
  HashCell<float> x, y, z;
};
__device__ inline PointInLevel locate(const HashLevelBlock& level, const float* position, std::size_t point) {
  const auto cell = [&](int d) { return hash_cell(position[3 * point + d], level.scale, level.last_vertex); };
  return {cell(0), cell(1), cell(2)};
}

/// Calls visit(corner, entry index) for the corners in a time slice.
template <class Visit>
__device__ void for_each_corner(const HashLevelBlock& level, const PointInLevel& p, int slice, Visit&& visit) {
  const std::uint32_t time = level.slice[slice];
#pragma unroll
  for (int c = 0; c < kCorners; ++c) {
    const std::uint32_t x = p.x.vertex[c & 1], y = p.y.vertex[c >> 1 & 1] * level.stride_y,
                        z = p.z.vertex[c >> 2] * level.stride_z;
    visit(c, level.dense ? x + y + z + time : (x ^ y ^ z ^ time) & level.mask);
  }
}

__device__ inline float2 operator-(float2 a, float2 b) { return make_float2(a.x - b.x, a.y - b.y); }
__device__ inline float2 multiply_add(float f, float2 a, float2 b) { return make_float2(f * a.x + b.x, f * a.y + b.y); }
__device__ inline float2 lerp(float2 a, float2 b, float f) { return multiply_add(f, b - a, a); }
__device__ inline float dot(float2 a, float2 b) { return a.x * b.x + a.y * b.y; }

/// Entries at the corners, interpolated between the time slices.
template <int kSlices>
__device__ void gather(const HashLevelBlock& level, const PointInLevel& p, const float2* entries,
                       float2 (&corner)[kCorners]) {
  for_each_corner(level, p, 0, [&](int c, std::uint32_t entry) { corner[c] = __ldg(entries + entry); });
  if constexpr (kSlices == 2) {
    float2 later[kCorners];
    for_each_corner(level, p, 1, [&](int c, std::uint32_t entry) { later[c] = __ldg(entries + entry); });
#pragma unroll
    for (int c = 0; c < kCorners; ++c)
      corner[c] = make_float2(level.slice_weight[1] * later[c].x + level.slice_weight[0] * corner[c].x,
                              level.slice_weight[1] * later[c].y + level.slice_weight[0] * corner[c].y);
  }
}

__device__ inline float2 trilinear(const PointInLevel& p, const float2 (&corner)[kCorners]) {
  float2 plane[2];
#pragma unroll
  for (int z = 0; z < 2; ++z)
    plane[z] = lerp(lerp(corner[4 * z], corner[4 * z + 1], p.x.fraction),
                    lerp(corner[4 * z + 2], corner[4 * z + 3], p.x.fraction), p.y.fraction);
  return lerp(plane[0], plane[1], p.z.fraction);
}

/// d(grad·trilinear) / d position. Differences of entries come first: where entries are alike they are exact.
__device__ inline float3 trilinear_vjp(const PointInLevel& p, const float2 (&corner)[kCorners], float2 grad) {
  float2 plane[2], dx[2], dy[2];
#pragma unroll
  for (int z = 0; z < 2; ++z) {
    const float2 low_row = corner[4 * z + 1] - corner[4 * z], high_row = corner[4 * z + 3] - corner[4 * z + 2];
    const float2 low = multiply_add(p.x.fraction, low_row, corner[4 * z]);
    dy[z] = multiply_add(p.x.fraction, high_row, corner[4 * z + 2]) - low;
    plane[z] = multiply_add(p.y.fraction, dy[z], low);
    dx[z] = lerp(low_row, high_row, p.y.fraction);
  }
  return make_float3(p.x.slope * dot(grad, lerp(dx[0], dx[1], p.z.fraction)),
                     p.y.slope * dot(grad, lerp(dy[0], dy[1], p.z.fraction)),
                     p.z.slope * dot(grad, plane[1] - plane[0]));
}

/// The corners' shares of grad before the time slices' weights.
__device__ inline void spread(const PointInLevel& p, float2 grad, float2 (&share)[kCorners]) {
#pragma unroll
  for (int c = 0; c < kCorners; ++c) {
    const float weight = (c & 1 ? p.x.fraction : 1 - p.x.fraction) * (c & 2 ? p.y.fraction : 1 - p.y.fraction) *
                         (c & 4 ? p.z.fraction : 1 - p.z.fraction);
    share[c] = make_float2(weight * grad.x, weight * grad.y);
  }
}

}  // namespace dsasrgs::cuda
