// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Cone-beam geometry. World frame: right-handed, millimetres, isocentre at the origin, C-arm rotation about +z.
///
/// ```
///      source o ●                         n = u × v, the detector normal
///                 \  ray                  pixel (row r, column c) covers [c, c+1) × [r, r+1) px
///                   \                     and its centre is at (c + 0.5, r + 0.5)
///            isocentre +                  px_x = (p − centre)·u / pitch_u + W/2
///                        \                px_y = (p − centre)·v / pitch_v + H/2
///        detector  ────────●──── u →
///                          p
/// ```

#include <cstddef>
#include <vector>

#include "dsasrgs/export.hpp"
#include "dsasrgs/math.hpp"

namespace DSASRGS_API dsasrgs {

/// Elements of an array with these sides. Where a side is negative or there would be more than 2^51, it is 2^51: more
/// than any array has, so that sizes that overflow agree with nothing.
inline std::size_t num_elements(int a, int b, int c = 1) {
  constexpr std::size_t kTooMany = std::size_t{1} << 51;
  if (a < 0 || b < 0 || c < 0) return kTooMany;
  const double product = static_cast<double>(a) * b * c;
  return product < static_cast<double>(kTooMany)
             ? static_cast<std::size_t>(a) * static_cast<std::size_t>(b) * static_cast<std::size_t>(c)
             : kTooMany;
}

/// Where source and detector were for one projection, and when.
struct Pose {
  Vec3d source_mm;           ///< focal spot
  Vec3d detector_center_mm;  ///< centre of the detector's active area
  Vec3d detector_u;          ///< unit vector of increasing column
  Vec3d detector_v;          ///< unit vector of increasing row, orthogonal to detector_u
  double time_s = 0;
};

/// Flat detector: `height_px` rows of `width_px` pixels.
struct Detector {
  int width_px = 0;
  int height_px = 0;
  double pitch_u_mm = 0;
  double pitch_v_mm = 0;

  /// H·W, as num_elements() counts.
  std::size_t num_pixels() const { return num_elements(width_px, height_px); }
  /// The same active area with `scale` times as many pixels along each side (scale ≥ 1).
  Detector refined(int scale) const;
  bool operator==(const Detector&) const = default;
};

/// Axis-aligned voxel grid; data are row-major [z, y, x]. `origin_mm` is the outer corner of voxel (0,0,0), so the
/// centre of voxel (i,j,k) is origin + (i + ½, j + ½, k + ½)·spacing.
struct VolumeGrid {
  int size_x = 0, size_y = 0, size_z = 0;
  Vec3d spacing_mm{1, 1, 1};
  Vec3d origin_mm{};

  /// As num_elements() counts.
  std::size_t num_voxels() const { return num_elements(size_x, size_y, size_z); }
  /// Side lengths of the box.
  Vec3d extent_mm() const { return {size_x * spacing_mm.x, size_y * spacing_mm.y, size_z * spacing_mm.z}; }
  Vec3d center_mm() const { return origin_mm + extent_mm() * 0.5; }
  /// Centre of voxel (i,j,k). constexpr, so CUDA kernels may call it too.
  constexpr Vec3d center_mm(int i, int j, int k) const {
    return origin_mm + Vec3d{(i + 0.5) * spacing_mm.x, (j + 0.5) * spacing_mm.y, (k + 0.5) * spacing_mm.z};
  }
  double largest_side_mm() const;
  double mean_spacing_mm() const { return (spacing_mm.x + spacing_mm.y + spacing_mm.z) / 3; }
  bool contains(Vec3d p) const;
  /// The same box with voxels `factor` times as large (sizes rounded up).
  VolumeGrid coarsened(double factor) const;
  bool operator==(const VolumeGrid&) const = default;
};

/// C-arm description of one view.
struct CArmView {
  double sod_mm = 750;       ///< source to isocentre
  double sdd_mm = 1200;      ///< source to detector
  double primary_rad = 0;    ///< a: rotation about +z
  double secondary_rad = 0;  ///< b: elevation out of the rotation plane
  double offset_u_mm = 0;    ///< detector shift along u
  double offset_v_mm = 0;    ///< detector shift along v
};

/// Pose of a C-arm view: source = SOD (cos b cos a, cos b sin a, sin b), u = (−sin a, cos a, 0),
/// v = (sin b cos a, sin b sin a, −cos b), centre = −(SDD/SOD − 1)·source + offset_u·u + offset_v·v.
/// Throws InvalidArgument unless 0 < SOD < SDD, all values and the time are finite, |a| ≤ 4π and |b| ≤ 2π.
Pose carm_pose(const CArmView&, double time_s);

/// Sweep of `num_views` views over `arc_rad` about +z, the first at `first_rad`, evenly spaced in angle and, over
/// `duration_s`, in time.
struct CircularSweep {
  int num_views = 133;
  double arc_rad = 200.0 / 180.0 * 3.14159265358979323846;
  double first_rad = 0;
  double duration_s = 5;
  CArmView view;  ///< everything but the primary angle
};
/// Poses of a sweep. Throws InvalidArgument as carm_pose does, and unless num_views is 1 to 2^20.
std::vector<Pose> circular_poses(const CircularSweep&);

/// Detector position (px, py) of a world point, in pixels; points at or behind the source give NaN.
Vec2d project_point(const Pose&, const Detector&, Vec3d point_mm);
/// World position of a detector position in pixels.
Vec3d detector_point(const Pose&, const Detector&, Vec2d position_px);

/// Training views of the usual protocol: floor(arange(0, num_views, num_views / num_train)); the rest are test views.
/// Throws InvalidArgument unless 1 ≤ num_train ≤ num_views ≤ 2^20.
std::vector<int> evenly_spaced_views(int num_views, int num_train);

}  // namespace dsasrgs
