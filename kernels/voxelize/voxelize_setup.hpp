// SPDX-License-Identifier: Apache-2.0
#pragma once
// One Gaussian placed in the grid, for both backends. In double: it costs nothing beside the voxels, and thin Gaussians
// keep their precision.

#include <algorithm>
#include <cmath>

#include "voxelize/voxelize.hpp"
#include "voxelize/voxelize_math.hpp"

namespace dsasrgs {

/// A Gaussian's parameters.
struct RawGaussian {
  Vec3d position_mm, raw_scale;
  Quat<double> rotation;
};
DSASRGS_HD inline RawGaussian raw_gaussian(const GaussianView& g, std::size_t i) {
  const float *p = g.position_mm.data() + 3 * i, *s = g.raw_scale.data() + 3 * i, *q = g.rotation.data() + 4 * i;
  return {{p[0], p[1], p[2]}, {s[0], s[1], s[2]}, {q[0], q[1], q[2], q[3]}};
}
DSASRGS_HD inline VoxelShape<double> shape_of(ScaleBounds bounds, const RawGaussian& k) {
  return voxel_shape<double>(k.raw_scale, k.rotation, bounds.min_mm, bounds.max_mm);
}

/// Voxel centres [begin, end) within `half` of `center` along one axis, all in voxels, and the centre relative to an
/// anchor voxel inside the grid, so that single precision is spent on the distance to the centre and not on the
/// position in the grid.
struct AxisRange {
  double offset = 0;
  int anchor = 0, begin = 0, end = 0;
};
DSASRGS_HD inline AxisRange axis_range(double center, double half, int size) {
  const double last = size - 1;
  const double lo = std::max(std::ceil(center - half), 0.0), hi = std::min(std::floor(center + half), last);
  if (!(lo <= hi)) return {};
  const int anchor = static_cast<int>(std::clamp(std::round(center), 0.0, last));
  return {center - anchor, anchor, static_cast<int>(lo), static_cast<int>(hi) + 1};
}

/// A Gaussian in units of voxels.
struct PlacedGaussian {
  Mat3<double> whitening;  ///< U·diag(spacing)
  AxisRange x, y, z;
  bool seen = false;  ///< it is finite, and its box holds a voxel centre
};
/// The box is that of Mahalanobis distance `cutoff`.
DSASRGS_HD inline PlacedGaussian place_gaussian(const VolumeGrid& grid, ScaleBounds bounds, const RawGaussian& raw,
                                                double cutoff) {
  const VoxelShape<double> shape = shape_of(bounds, raw);
  const Vec3d h = grid.spacing_mm, from = raw.position_mm - grid.origin_mm;
  const Vec3d half_mm = voxel_half_extent<double>(shape, cutoff);
  const auto scaled = [h](Vec3d row) { return Vec3d{row.x * h.x, row.y * h.y, row.z * h.z}; };
  PlacedGaussian k;
  k.x = axis_range(from.x / h.x - 0.5, half_mm.x / h.x, grid.size_x);
  k.y = axis_range(from.y / h.y - 0.5, half_mm.y / h.y, grid.size_y);
  k.z = axis_range(from.z / h.z - 0.5, half_mm.z / h.z, grid.size_z);
  k.whitening = {scaled(shape.whitening.r0), scaled(shape.whitening.r1), scaled(shape.whitening.r2)};
  const Mat3<double>& u = shape.whitening;
  k.seen = k.x.begin < k.x.end && k.y.begin < k.y.end && k.z.begin < k.z.end && std::isfinite(u.r0.x + u.r1.y + u.r2.z);
  return k;
}

}  // namespace dsasrgs
