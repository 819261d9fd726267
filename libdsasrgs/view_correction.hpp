// SPDX-License-Identifier: Apache-2.0
#pragma once
// The correction of one view: nine numbers in the view's own frame, and how the corrected pose depends on them.

#include <array>
#include <cmath>
#include <span>

#include "dsasrgs/geometry.hpp"
#include "dsasrgs/pose_correction.hpp"
#include "project/project.hpp"

namespace dsasrgs {

/// u, v of the detector and n, from the source to the detector.
struct ViewFrame {
  Vec3d u, v, n;
  explicit ViewFrame(const Pose& pose)
      : u(pose.detector_u), v(pose.detector_v), n(cross(pose.detector_u, pose.detector_v)) {
    if (dot(pose.detector_center_mm - pose.source_mm, n) < 0) n = -n;
  }
  Vec3d components(Vec3d world) const { return {dot(world, u), dot(world, v), dot(world, n)}; }
};

/// A correction by numbers: turn about u, v, n [rad], shift along u, v, n [mm], offset of the detector along u, v and
/// its distance from the source [mm].
struct ViewCorrection {
  static constexpr std::size_t kSize = 9;
  std::array<double, kSize> number{};

  Vec3d turn_rad() const { return {number[0], number[1], number[2]}; }
  Vec3d shift_mm() const { return {number[3], number[4], number[5]}; }
  Vec3d detector_mm() const { return {number[6], number[7], number[8]}; }
  void add(const RigidMotion& m, double weight = 1) {
    const double motion[6] = {m.turn_rad.x, m.turn_rad.y, m.turn_rad.z, m.shift_mm.x, m.shift_mm.y, m.shift_mm.z};
    for (std::size_t i = 0; i < 6; ++i) number[i] += weight * motion[i];
  }
};

inline Vec3d turned_about(Vec3d axis, double angle_rad, Vec3d p) {  // Rodrigues
  const double c = std::cos(angle_rad), s = std::sin(angle_rad);
  return p * c + cross(axis, p) * s + axis * (dot(axis, p) * (1 - c));
}

/// The rotation of a correction.
struct ViewTurn {
  ViewFrame frame;
  Vec3d angle;
  Vec3d operator()(Vec3d p) const {
    return turned_about(frame.n, angle.z, turned_about(frame.v, angle.y, turned_about(frame.u, angle.x, p)));
  }
};

/// The detector is moved first, then source and detector are turned about the pivot and shifted.
inline Pose corrected_pose(const Pose& given, Vec3d pivot_mm, const ViewCorrection& c) {
  const ViewFrame f(given);
  const ViewTurn turn{f, c.turn_rad()};
  const Vec3d s = c.shift_mm(), d = c.detector_mm();
  const Vec3d shift = f.u * s.x + f.v * s.y + f.n * s.z;
  Pose pose = given;
  pose.source_mm = pivot_mm + turn(given.source_mm - pivot_mm) + shift;
  pose.detector_center_mm =
      pivot_mm + turn(given.detector_center_mm + f.u * d.x + f.v * d.y + f.n * d.z - pivot_mm) + shift;
  pose.detector_u = turn(f.u);
  pose.detector_v = turn(f.v);
  return pose;
}

/// VJP of corrected_pose: derivatives by the nine numbers, from those by the corrected pose.
inline ViewCorrection corrected_pose_vjp(const Pose& given, Vec3d pivot_mm, const ViewCorrection& c,
                                         const PoseGradient& up) {
  const ViewFrame f(given);
  const Vec3d angle = c.turn_rad(), d = c.detector_mm();
  const ViewTurn turn{f, angle};
  // Turning a little more about axis k moves a turned vector p by a_k × p.
  const Vec3d axes[3] = {turned_about(f.n, angle.z, turned_about(f.v, angle.y, f.u)), turned_about(f.n, angle.z, f.v),
                         f.n};
  const Vec3d source = turn(given.source_mm - pivot_mm);
  const Vec3d centre = turn(given.detector_center_mm + f.u * d.x + f.v * d.y + f.n * d.z - pivot_mm);
  const Vec3d torque = cross(source, up.source_mm) + cross(centre, up.detector_center_mm) +
                       cross(turn(f.u), up.detector_u) + cross(turn(f.v), up.detector_v);
  const Vec3d force = up.source_mm + up.detector_center_mm;
  const Vec3d frame[3] = {f.u, f.v, f.n};
  ViewCorrection g;
  for (std::size_t k = 0; k < 3; ++k) {
    g.number[k] = dot(axes[k], torque);
    g.number[3 + k] = dot(frame[k], force);
    g.number[6 + k] = dot(turn(frame[k]), up.detector_center_mm);
  }
  return g;
}

/// Where a view is on its sweep.
struct ViewPlace {
  double from_middle_rad;  ///< its angle about the axis, from the middle of the arc
  Vec3d axis, across;      ///< of the sweep, and the direction orthogonal to it and n: by components along u, v, n
  std::size_t first_knot;  ///< of the four whose B-splines are not 0 there
  std::array<double, 4> knot_weight;
};

/// The arc that the training views lie on.
class Sweep {
 public:
  /// Throws InvalidArgument where the poses define no arc. 4 knots or more.
  Sweep(std::span<const Pose>, std::size_t knots);
  ViewPlace place(const Pose&) const;

 private:
  double angle_rad(const Pose&) const;  // from the first view of the arc, clamped to it
  std::size_t knots_;
  Vec3d axis_, point_on_axis_mm_, zero_;  // zero_: from the axis to the source at angle 0
  double span_rad_;
};

/// What a view has of the corrections that all views share.
ViewCorrection sweep_part(const SweepCorrection&, const ViewPlace&);

/// The middle of a volume, and 26 points around it at six tenths of the way to its faces.
inline constexpr std::size_t kPointsOfVolume = 27;
std::array<Vec3d, kPointsOfVolume> points_of(const VolumeGrid&);
/// Root mean square distance on the detector, in pixels, between where two poses see these points.
double rms_distance_px(const Pose&, const Pose&, const Detector&, const VolumeGrid&);

}  // namespace dsasrgs
