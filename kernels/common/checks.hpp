// SPDX-License-Identifier: Apache-2.0
#pragma once
// What every operator asks of a cloud, an image, a detector, a pose and a grid: one rule and one wording for each.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "common/gradient.hpp"
#include "common/require.hpp"
#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

/// a·b, or where that overflows more than any array has.
inline std::size_t size_product(std::size_t a, std::size_t b) { return b == 0 || a <= SIZE_MAX / b ? a * b : SIZE_MAX; }

/// Throws InvalidArgument unless least ≤ value ≤ most.
inline void require_count(const char* op, const char* what, std::int64_t value, std::int64_t least, std::int64_t most) {
  require(value >= least && value <= most, op, what, ": expected ", least, " to ", most, ", found ", value);
}
inline void require_count(const char* op, const char* what, std::int64_t value, std::int64_t least) {
  require(value >= least, op, what, ": expected ", least, " or more, found ", value);
}

/// Throws InvalidArgument unless value ≥ least; NaN is not.
inline void require_at_least(const char* op, const char* what, double value, int least) {
  require(value >= least, op, what, ": expected ", least, " or more, found ", value);
}

/// n of an array [n, columns]. Throws InvalidArgument unless its rows are whole.
inline std::size_t require_rows(const char* op, const char* what, std::size_t columns, std::size_t size) {
  require(size % columns == 0, op, what, ": expected rows of ", columns, " numbers, found ", size, " in all");
  return size / columns;
}

/// Throws InvalidArgument unless 0 < min < max, both finite: the derivative of a bounded scale divides by max − min,
/// and an operator divides by the scale.
inline void require_bounds(const char* op, ScaleBounds bounds) {
  require(bounds.min_mm > 0 && bounds.max_mm > bounds.min_mm && std::isfinite(bounds.max_mm), op,
          "bounds: expected 0 < min_mm < max_mm, finite, found ", bounds.min_mm, " and ", bounds.max_mm);
}

/// Throws InvalidArgument unless it is a cloud of n Gaussians; an empty one needs no bounds.
inline void require_cloud(const char* op, const GaussianView& gaussians, std::size_t n) {
  require_size(op, "position_mm", 3 * n, gaussians.position_mm.size());
  require_size(op, "raw_scale", 3 * n, gaussians.raw_scale.size());
  require_size(op, "rotation", 4 * n, gaussians.rotation.size());
  if (n > 0) require_bounds(op, gaussians.bounds);
}
inline void require_cloud(const char* op, const GaussianView& gaussians) {
  require_cloud(op, gaussians, gaussians.size());
}

/// Throws InvalidArgument unless the gradients of n Gaussians have room.
inline void require_gradient(const char* op, const GaussianGradient& gradient, std::size_t n) {
  require_size(op, "gradient position_mm", 3 * n, gradient.position_mm.size());
  require_size(op, "gradient raw_scale", 3 * n, gradient.raw_scale.size());
  require_size(op, "gradient rotation", 4 * n, gradient.rotation.size());
  require_size(op, "gradient density", n, gradient.density.size());
}

/// Number of pixels. Throws InvalidArgument for an empty image.
inline std::size_t require_image(const char* op, const char* what, int width_px, int height_px) {
  require(width_px > 0 && height_px > 0, op, what, ": expected at least 1 x 1 pixels, found ", width_px, " x ",
          height_px);
  return num_elements(width_px, height_px);
}

/// Sizes and coordinates that single precision can do with, in any unit a scan may be in.
inline constexpr double kLeastLength_mm = 1e-6, kMostLength_mm = 1e9;
inline bool is_length(double mm) { return mm >= kLeastLength_mm && mm <= kMostLength_mm; }
inline bool is_position(Vec3d mm) {  // NaN is none
  return std::abs(mm.x) <= kMostLength_mm && std::abs(mm.y) <= kMostLength_mm && std::abs(mm.z) <= kMostLength_mm;
}
inline bool is_time(double s) { return std::abs(s) <= 1e9; }

/// Throws InvalidArgument unless a detector's pitch is a length.
inline void require_pitch(const char* op, const Detector& d) {
  require(is_length(d.pitch_u_mm) && is_length(d.pitch_v_mm), op,
          "detector: expected a positive pitch of 1e-6 to 1e9 mm, found ", d.pitch_u_mm, " x ", d.pitch_v_mm, " mm");
}

/// Number of pixels. Throws InvalidArgument unless the detector has some and their pitch is positive and finite.
inline std::size_t require_detector(const char* op, const Detector& d) {
  require_pitch(op, d);
  return require_image(op, "detector", d.width_px, d.height_px);
}

/// Rounding of a detector's axes; 1e-4 rad is 0.1 mm at a detector a metre wide.
inline constexpr double kAxisTolerance = 1e-4;

/// Least depth of the source over the detector's plane, relative to its distance from the centre: where rays are still
/// different.
inline constexpr double kLeastDepth = 1e-6;
inline double source_distance_mm(const Pose& p) { return length(p.detector_center_mm - p.source_mm); }
inline double source_depth_mm(const Pose& p) {
  return std::abs(dot(p.detector_center_mm - p.source_mm, cross(p.detector_u, p.detector_v)));
}

/// Throws InvalidArgument unless the detector's axes are orthogonal unit vectors and every pixel has a ray of its own.
inline void require_pose(const char* op, const Pose& pose) {
  const double u = length(pose.detector_u), v = length(pose.detector_v);
  const double product = dot(pose.detector_u, pose.detector_v);
  // Written so that NaN fails.
  require(std::abs(u - 1) <= kAxisTolerance && std::abs(v - 1) <= kAxisTolerance && std::abs(product) <= kAxisTolerance,
          op, "pose: expected orthogonal unit vectors detector_u and detector_v, found lengths ", u, " and ", v,
          ", product ", product);
  require(is_position(pose.source_mm) && is_position(pose.detector_center_mm), op,
          "pose: expected source_mm and detector_center_mm within 1e9 mm, found one that is not");
  const double distance = source_distance_mm(pose), depth = source_depth_mm(pose);
  require(depth > kLeastDepth * distance, op, "pose: expected a source outside the detector's plane, found it ", depth,
          " mm from the plane and ", distance, " mm from the centre");
}

/// Throws InvalidArgument unless a grid's origin is a position and its spacing a length.
inline void require_box(const char* op, const VolumeGrid& grid) {
  const Vec3d s = grid.spacing_mm, o = grid.origin_mm;
  require(is_length(s.x) && is_length(s.y) && is_length(s.z), op,
          "grid: expected a positive spacing of 1e-6 to 1e9 mm, found ", s.x, " x ", s.y, " x ", s.z, " mm");
  require(is_position(o), op, "grid: expected an origin within 1e9 mm, found (", o.x, ", ", o.y, ", ", o.z, ") mm");
}

/// Number of voxels. Throws InvalidArgument for an empty grid.
inline std::size_t require_voxels(const char* op, const VolumeGrid& grid) {
  require(grid.size_x > 0 && grid.size_y > 0 && grid.size_z > 0, op, "grid: expected at least 1 x 1 x 1 voxels, found ",
          grid.size_x, " x ", grid.size_y, " x ", grid.size_z);
  return grid.num_voxels();
}

/// Number of voxels. Throws InvalidArgument unless the grid has some, of a length, and its origin is a position.
inline std::size_t require_grid(const char* op, const VolumeGrid& grid) {
  require_box(op, grid);
  return require_voxels(op, grid);
}

}  // namespace dsasrgs
