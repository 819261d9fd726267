// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/geometry.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "common/require.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs {

namespace {
constexpr int kMostViews = 1 << 20;  // of an acquisition
}

Detector Detector::refined(int scale) const {
  if (scale < 1) throw InvalidArgument("Detector::refined: scale: expected 1 or more, found " + std::to_string(scale));
  if (std::max(width_px, height_px) > std::numeric_limits<int>::max() / scale)
    throw InvalidArgument("Detector::refined: scale: expected sides of at most 2^31 - 1 pixels, found " +
                          std::to_string(scale) + " times " + std::to_string(width_px) + " x " +
                          std::to_string(height_px));
  return {width_px * scale, height_px * scale, pitch_u_mm / scale, pitch_v_mm / scale};
}

double VolumeGrid::largest_side_mm() const {
  const Vec3d e = extent_mm();
  return std::max({e.x, e.y, e.z});
}

bool VolumeGrid::contains(Vec3d p) const {
  const Vec3d d = p - origin_mm, e = extent_mm();
  return d.x >= 0 && d.y >= 0 && d.z >= 0 && d.x <= e.x && d.y <= e.y && d.z <= e.z;
}

VolumeGrid VolumeGrid::coarsened(double factor) const {
  if (!(factor >= 1))
    throw InvalidArgument("VolumeGrid::coarsened: factor: expected 1 or more, found " + std::to_string(factor));
  VolumeGrid g;
  g.size_x = std::max(1, static_cast<int>(std::ceil(size_x / factor)));
  g.size_y = std::max(1, static_cast<int>(std::ceil(size_y / factor)));
  g.size_z = std::max(1, static_cast<int>(std::ceil(size_z / factor)));
  const Vec3d e = extent_mm();
  g.spacing_mm = {e.x / g.size_x, e.y / g.size_y, e.z / g.size_z};
  g.origin_mm = origin_mm;
  return g;
}

Pose carm_pose(const CArmView& view, double time_s) {
  constexpr double kTwoTurns = 4 * std::numbers::pi, kFullTurn = kTwoTurns / 2;
  const auto check = require_field<double>;
  check(std::isfinite(view.sod_mm) && view.sod_mm > 0, "sod_mm", "a positive length", view.sod_mm);
  check(std::isfinite(view.sdd_mm) && view.sdd_mm > view.sod_mm, "sdd_mm", "more than sod_mm", view.sdd_mm);
  check(std::abs(view.primary_rad) <= kTwoTurns, "primary_rad", "radians within ±4π", view.primary_rad);
  check(std::abs(view.secondary_rad) <= kFullTurn, "secondary_rad", "radians within ±2π", view.secondary_rad);
  check(std::isfinite(view.offset_u_mm), "offset_u_mm", "a finite length", view.offset_u_mm);
  check(std::isfinite(view.offset_v_mm), "offset_v_mm", "a finite length", view.offset_v_mm);
  check(std::isfinite(time_s), "time_s", "a finite time", time_s);

  const double ca = std::cos(view.primary_rad), sa = std::sin(view.primary_rad);
  const double cb = std::cos(view.secondary_rad), sb = std::sin(view.secondary_rad);
  Pose pose;
  pose.source_mm = Vec3d{cb * ca, cb * sa, sb} * view.sod_mm;
  pose.detector_u = {-sa, ca, 0};
  pose.detector_v = {sb * ca, sb * sa, -cb};
  pose.detector_center_mm = pose.source_mm * (1 - view.sdd_mm / view.sod_mm) + pose.detector_u * view.offset_u_mm +
                            pose.detector_v * view.offset_v_mm;
  pose.time_s = time_s;
  return pose;
}

std::vector<Pose> circular_poses(const CircularSweep& sweep) try {
  require_field(sweep.num_views >= 1 && sweep.num_views <= kMostViews, "num_views", "1 to 1048576", sweep.num_views);
  std::vector<Pose> poses;
  for (int i = 0; i < sweep.num_views; ++i) {
    const double f = sweep.num_views == 1 ? 0.0 : static_cast<double>(i) / (sweep.num_views - 1);
    CArmView view = sweep.view;
    view.primary_rad = sweep.first_rad + f * sweep.arc_rad;
    poses.push_back(carm_pose(view, f * sweep.duration_s));
  }
  return poses;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

Vec2d project_point(const Pose& pose, const Detector& detector, Vec3d point_mm) {
  const Vec3d n = cross(pose.detector_u, pose.detector_v);
  const Vec3d r = point_mm - pose.source_mm;
  const Vec3d c = pose.detector_center_mm - pose.source_mm;
  const double magnification = dot(c, n) / dot(r, n);
  if (!(magnification > 0) || !std::isfinite(magnification)) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    return {nan, nan};
  }
  const Vec3d p = r * magnification - c;
  return {dot(p, pose.detector_u) / detector.pitch_u_mm + detector.width_px * 0.5,
          dot(p, pose.detector_v) / detector.pitch_v_mm + detector.height_px * 0.5};
}

Vec3d detector_point(const Pose& pose, const Detector& detector, Vec2d px) {
  return pose.detector_center_mm + pose.detector_u * ((px.x - detector.width_px * 0.5) * detector.pitch_u_mm) +
         pose.detector_v * ((px.y - detector.height_px * 0.5) * detector.pitch_v_mm);
}

std::vector<int> evenly_spaced_views(int num_views, int num_train) try {
  if (num_views > kMostViews)
    throw InvalidArgument("evenly_spaced_views: num_views: expected at most " + std::to_string(kMostViews) +
                          ", found " + std::to_string(num_views));
  if (num_train < 1 || num_train > num_views)
    throw InvalidArgument("evenly_spaced_views: num_train: expected 1 to " + std::to_string(num_views) + ", found " +
                          std::to_string(num_train));
  std::vector<int> views;
  views.reserve(static_cast<std::size_t>(num_train));
  for (int i = 0; i < num_train; ++i)
    views.push_back(static_cast<int>(static_cast<long long>(i) * num_views / num_train));
  return views;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
