// SPDX-License-Identifier: Apache-2.0
#pragma once
// Joseph's method for one ray (Joseph 1982, IEEE Trans. Med. Imaging 1, 192).

#include <cmath>

#include "dsasrgs/geometry.hpp"
#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// A volume as the ray sum reads it: per axis (x, y, z) the number of voxels and the distance between neighbours in
/// elements.
struct RayVolume {
  const float* data;
  int size[3];
  std::ptrdiff_t stride[3];
};

/// A ray cut into voxel layers across its dominant axis. In layer n, first_layer ≤ n < end_layer, it meets the voxel
/// centres' plane at (a0 + n·da, b0 + n·db) in voxel indices of the two other axes. Layers first_inner ≤ n < end_inner
/// have all four neighbours inside the volume.
struct JosephRay {
  int axis, axis_a, axis_b;
  int first_layer, end_layer, first_inner, end_inner;
  double a0, da, b0, db;
  double step_mm;  ///< path length between layers
};

/// The part of [low, high] on which from < start + n·slope < to.
struct RayInterval {
  double low, high;
};
DSASRGS_HD inline RayInterval clip_interval(RayInterval r, double start, double slope, double from, double to) {
  if (slope == 0) return start > from && start < to ? r : RayInterval{1, 0};
  const double n0 = (from - start) / slope, n1 = (to - start) / slope;
  const double low = n0 < n1 ? n0 : n1, high = n0 < n1 ? n1 : n0;
  return {low > r.low ? low : r.low, high < r.high ? high : r.high};
}

/// The ray from `source` to `target`, both in voxel indices (0 at the centre of the first voxel), `length_mm` apart.
DSASRGS_HD inline JosephRay joseph_ray(Vec3d source, Vec3d target, double length_mm, const RayVolume& volume) {
  const double from[3] = {source.x, source.y, source.z};
  const double way[3] = {target.x - source.x, target.y - source.y, target.z - source.z};
  const double size[3] = {std::fabs(way[0]), std::fabs(way[1]), std::fabs(way[2])};
  JosephRay ray{};
  ray.axis = size[0] >= size[1] && size[0] >= size[2] ? 0 : size[1] >= size[2] ? 1 : 2;
  ray.axis_a = ray.axis == 0 ? 1 : 0;
  ray.axis_b = ray.axis == 2 ? 1 : 2;
  const int m = ray.axis;
  if (!(size[m] > 0)) return ray;  // source and target coincide
  ray.step_mm = length_mm / size[m];
  ray.da = way[ray.axis_a] / way[m];
  ray.db = way[ray.axis_b] / way[m];
  ray.a0 = from[ray.axis_a] - from[m] * ray.da;
  ray.b0 = from[ray.axis_b] - from[m] * ray.db;

  const double target_layer = from[m] + way[m];
  RayInterval layers{from[m] < target_layer ? from[m] : target_layer, from[m] < target_layer ? target_layer : from[m]};
  layers = clip_interval(layers, 0, 1, -0.5, volume.size[m] - 0.5);
  const auto cut = [](RayInterval r, int& first, int& end) {
    first = r.low <= r.high ? static_cast<int>(std::ceil(r.low)) : 0;
    end = r.low <= r.high ? static_cast<int>(std::floor(r.high)) + 1 : first;
  };
  const int size_a = volume.size[ray.axis_a], size_b = volume.size[ray.axis_b];
  // Samples between −1 and size reach at least one voxel.
  cut(clip_interval(clip_interval(layers, ray.a0, ray.da, -1, size_a), ray.b0, ray.db, -1, size_b), ray.first_layer,
      ray.end_layer);
  // The margin covers the rounding of a sample's position.
  constexpr double kMargin = 1e-3;
  const RayInterval inner = clip_interval(clip_interval(layers, ray.a0, ray.da, kMargin, size_a - 1 - kMargin), ray.b0,
                                          ray.db, kMargin, size_b - 1 - kMargin);
  cut(inner, ray.first_inner, ray.end_inner);
  if (ray.first_inner >= ray.end_inner) ray.first_inner = ray.end_inner = ray.first_layer;
  return ray;
}

/// Bilinear sample whose four neighbours are inside; layer = address of voxel (0,0) of the layer, a, b ≥ 0.
template <class T>
DSASRGS_HD T sample_inner(const float* layer, std::ptrdiff_t stride_a, std::ptrdiff_t stride_b, T a, T b) {
  const int ia = static_cast<int>(a), ib = static_cast<int>(b);
  const T fa = a - static_cast<T>(ia), fb = b - static_cast<T>(ib);
  const float* v = layer + ia * stride_a + ib * stride_b;
  const T v00 = v[0], v10 = v[stride_a], v01 = v[stride_b], v11 = v[stride_a + stride_b];
  const T low = v00 + fa * (v10 - v00), high = v01 + fa * (v11 - v01);
  return low + fb * (high - low);
}

/// Bilinear sample anywhere; neighbours outside are 0.
template <class T>
DSASRGS_HD T sample_border(const float* layer, std::ptrdiff_t stride_a, std::ptrdiff_t stride_b, int size_a, int size_b,
                           T a, T b) {
  using std::floor;
  const T base_a = floor(a), base_b = floor(b);
  const int ia = static_cast<int>(base_a), ib = static_cast<int>(base_b);
  const T fa = a - base_a, fb = b - base_b;
  T sum = 0;
  for (int corner = 0; corner < 4; ++corner) {
    const int ja = ia + (corner & 1), jb = ib + (corner >> 1);
    if (ja < 0 || ja >= size_a || jb < 0 || jb >= size_b) continue;
    const T weight = ((corner & 1) ? fa : T(1) - fa) * ((corner >> 1) ? fb : T(1) - fb);
    sum += weight * static_cast<T>(layer[ja * stride_a + jb * stride_b]);
  }
  return sum;
}

/// The line integral of the volume along a ray.
template <class T>
DSASRGS_HD T joseph_sum(const RayVolume& volume, const JosephRay& ray) {
  const std::ptrdiff_t stride = volume.stride[ray.axis], stride_a = volume.stride[ray.axis_a];
  const std::ptrdiff_t stride_b = volume.stride[ray.axis_b];
  const int size_a = volume.size[ray.axis_a], size_b = volume.size[ray.axis_b];
  // Positions are counted from the first layer, so that T carries the small numbers of the volume and not the source's.
  const T a0 = static_cast<T>(ray.a0 + ray.first_layer * ray.da),
          b0 = static_cast<T>(ray.b0 + ray.first_layer * ray.db);
  const T da = static_cast<T>(ray.da), db = static_cast<T>(ray.db);
  T sum = 0;
  const auto border = [&](int first, int end) {
    for (int n = first; n < end; ++n) {
      const T k = static_cast<T>(n - ray.first_layer);
      sum += sample_border(volume.data + n * stride, stride_a, stride_b, size_a, size_b, a0 + k * da, b0 + k * db);
    }
  };
  border(ray.first_layer, ray.first_inner);
  for (int n = ray.first_inner; n < ray.end_inner; ++n) {
    const T k = static_cast<T>(n - ray.first_layer);
    sum += sample_inner(volume.data + n * stride, stride_a, stride_b, a0 + k * da, b0 + k * db);
  }
  border(ray.end_inner, ray.end_layer);
  return sum * static_cast<T>(ray.step_mm);
}

}  // namespace dsasrgs
