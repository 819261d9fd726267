// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/pose_correction.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "common/require.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/model.hpp"
#include "fdk/fdk_arc.hpp"
#include "view_correction.hpp"

namespace dsasrgs {

namespace {

constexpr const char* kCorrector = "PoseCorrector";

bool is_finite(Vec3d v) { return std::isfinite(v.x) && std::isfinite(v.y) && std::isfinite(v.z); }
bool is_finite(const RigidMotion& m) { return is_finite(m.turn_rad) && is_finite(m.shift_mm); }

bool same_place(const Pose& a, const Pose& b) {
  return a.source_mm == b.source_mm && a.detector_center_mm == b.detector_center_mm && a.detector_u == b.detector_u &&
         a.detector_v == b.detector_v;
}

/// What a view has of the sweep's corrections and the curve.
ViewCorrection smooth_part(const PoseCorrection& c, const ViewPlace& place) {
  ViewCorrection view = sweep_part(c.sweep, place);
  for (std::size_t i = 0; i < 4; ++i) view.add(c.knots[place.first_knot + i], place.knot_weight[i]);
  return view;
}

}  // namespace

ViewCorrection sweep_part(const SweepCorrection& s, const ViewPlace& place) {
  const Vec3d turn =
      place.across * s.tilt_rad + place.axis * (s.arc_scale * place.from_middle_rad) + Vec3d{0, 0, s.roll_rad};
  return {{turn.x, turn.y, turn.z, 0, 0, 0, s.offset_u_mm, s.offset_v_mm, s.distance_mm}};
}

Sweep::Sweep(std::span<const Pose> poses, std::size_t knots) : knots_(knots) {
  const SourceArc arc = fit_source_arc(poses);
  axis_ = arc.axis;
  point_on_axis_mm_ = arc.point_on_axis_mm;
  span_rad_ = arc.span_rad;
  for (const ArcView& view : arc.views)
    if (view.angle_rad == 0) zero_ = -view.toward_axis;
}

double Sweep::angle_rad(const Pose& pose) const {
  const Vec3d from_axis = pose.source_mm - point_on_axis_mm_;
  double angle = std::atan2(dot(from_axis, cross(axis_, zero_)), dot(from_axis, zero_));
  // Outside of the arc the end that is nearer, around the circle.
  const double gap = 2 * std::numbers::pi - span_rad_;
  if (angle < -gap / 2) angle += 2 * std::numbers::pi;
  return std::clamp(angle, 0.0, span_rad_);
}

ViewPlace Sweep::place(const Pose& pose) const {
  const ViewFrame frame(pose);
  const double angle = angle_rad(pose);
  ViewPlace place;
  place.from_middle_rad = angle - span_rad_ / 2;
  place.axis = frame.components(axis_);
  const Vec3d across = cross(axis_, frame.n);
  place.across = length(across) > 1e-9 ? frame.components(normalized(across)) : Vec3d{};
  const double t = angle / span_rad_ * static_cast<double>(knots_ - 3);
  place.first_knot = std::min(static_cast<std::size_t>(t), knots_ - 4);
  const double f = t - static_cast<double>(place.first_knot), g = 1 - f;
  place.knot_weight = {g * g * g / 6, (3 * f * f * f - 6 * f * f + 4) / 6, (3 * g * g * g - 6 * g * g + 4) / 6,
                       f * f * f / 6};
  return place;
}

PoseCorrector::PoseCorrector(const PoseCorrection& c) try : correction_(c) {
  require(!c.empty() && c.nominal.size() == c.view.size() && c.remainder.size() == c.view.size(), kCorrector,
          "correction: expected a pose and a remainder for each of one view or more, found ", c.nominal.size(),
          " poses and ", c.remainder.size(), " remainders for ", c.view.size());
  require(c.knots.size() >= 4, kCorrector, "correction: expected 4 knots or more, found ", c.knots.size());
  const SweepCorrection& s = c.sweep;
  bool finite = is_finite(c.pivot_mm) && is_finite(Vec3d{s.offset_u_mm, s.offset_v_mm, s.distance_mm}) &&
                is_finite(Vec3d{s.roll_rad, s.tilt_rad, s.arc_scale});
  for (const RigidMotion& m : c.knots) finite = finite && is_finite(m);
  for (const RigidMotion& m : c.remainder) finite = finite && is_finite(m);
  require(finite, kCorrector, "correction: expected finite numbers, found others");
  sweep_ = std::make_shared<const Sweep>(c.nominal, c.knots.size());
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

Pose PoseCorrector::corrected(const Pose& given) const {
  return corrected_pose(given, correction_.pivot_mm, smooth_part(correction_, sweep_->place(given)));
}

Pose PoseCorrector::corrected_training_view(std::size_t slot) const {
  require(slot < correction_.view.size(), kCorrector, "slot: expected less than ", correction_.view.size(), ", found ",
          slot);
  const Pose& given = correction_.nominal[slot];
  ViewCorrection view = smooth_part(correction_, sweep_->place(given));
  view.add(correction_.remainder[slot]);
  return corrected_pose(given, correction_.pivot_mm, view);
}

bool corrects(const Model& model, const Acquisition& acquisition) {
  const PoseCorrection& c = model.pose_correction;
  for (std::size_t slot = 0; slot < c.view.size(); ++slot) {
    const auto view = static_cast<std::size_t>(c.view[slot]);
    if (view >= acquisition.poses.size() || !same_place(acquisition.poses[view], c.nominal[slot])) return false;
  }
  return !c.empty();
}

std::vector<Pose> poses_as_corrected(const Model& model, const Acquisition& acquisition) try {
  std::vector<Pose> poses = acquisition.poses;
  if (!corrects(model, acquisition)) return poses;
  const PoseCorrector corrector(model.pose_correction);
  for (Pose& pose : poses) pose = corrector.corrected(pose);
  const std::vector<int>& trained = model.pose_correction.view;
  for (std::size_t slot = 0; slot < trained.size(); ++slot) {
    Pose& pose = poses[static_cast<std::size_t>(trained[slot])];
    const double time_s = pose.time_s;
    pose = corrector.corrected_training_view(slot);
    pose.time_s = time_s;
  }
  return poses;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

double rms_distance_px(const Pose& a, const Pose& b, const Detector& detector, const VolumeGrid& volume) {
  double sum = 0;
  for (const Vec3d point : points_of(volume)) {
    const Vec2d p = project_point(a, detector, point), q = project_point(b, detector, point);
    sum += (p.x - q.x) * (p.x - q.x) + (p.y - q.y) * (p.y - q.y);
  }
  return std::sqrt(sum / kPointsOfVolume);
}

std::array<Vec3d, kPointsOfVolume> points_of(const VolumeGrid& volume) {
  const Vec3d c = volume.center_mm(), e = volume.extent_mm() * 0.3;
  std::array<Vec3d, kPointsOfVolume> points;
  std::size_t i = 0;
  for (int z = -1; z <= 1; ++z)
    for (int y = -1; y <= 1; ++y)
      for (int x = -1; x <= 1; ++x) points[i++] = c + Vec3d{x * e.x, y * e.y, z * e.z};
  return points;
}

PoseCorrectionSize correction_size(const PoseCorrection& c, const Detector& detector, const VolumeGrid& volume) {
  PoseCorrectionSize size;
  if (c.empty()) return size;
  const PoseCorrector corrector(c);
  double smooth2 = 0, remainder2 = 0;
  for (std::size_t slot = 0; slot < c.view.size(); ++slot) {
    const Pose smooth = corrector.corrected(c.nominal[slot]);
    const double s = rms_distance_px(c.nominal[slot], smooth, detector, volume);
    const double r = rms_distance_px(smooth, corrector.corrected_training_view(slot), detector, volume);
    smooth2 += s * s;
    remainder2 += r * r;
    size.smooth_largest_px = std::max(size.smooth_largest_px, s);
    if (r >= size.remainder_largest_px) {
      size.remainder_largest_px = r;
      size.largest_view = c.view[slot];
    }
  }
  const auto views = static_cast<double>(c.view.size());
  size.smooth_rms_px = std::sqrt(smooth2 / views);
  size.remainder_rms_px = std::sqrt(remainder2 / views);
  return size;
}

}  // namespace dsasrgs
