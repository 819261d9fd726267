// SPDX-License-Identifier: Apache-2.0
// Directions that no sweep has.

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "number_text.hpp"
#include "plausibility/findings.hpp"
#include "plausibility/limits.hpp"

namespace dsasrgs::plausible {

namespace {

std::vector<Vec3d> directions_of(const std::vector<Pose>& poses) {
  std::vector<Vec3d> directions;
  directions.reserve(poses.size());
  for (const Pose& pose : poses) directions.push_back(normalized(pose.detector_center_mm - pose.source_mm));
  return directions;
}

double angle_between(Vec3d a, Vec3d b) { return std::atan2(length(cross(a, b)), dot(a, b)); }

/// Largest angle to the direction that is furthest from the first: the span of an arc.
double span_of(const std::vector<Vec3d>& directions) {
  const auto furthest_from = [&](Vec3d from) {
    return *std::max_element(directions.begin(), directions.end(),
                             [&](Vec3d a, Vec3d b) { return angle_between(from, a) < angle_between(from, b); });
  };
  const Vec3d end = furthest_from(directions.front());
  return angle_between(end, furthest_from(end));
}

bool find_same_pose(const Acquisition& a, std::vector<Finding>& findings) {
  const Pose& first = a.poses.front();
  if (!std::all_of(a.poses.begin(), a.poses.end(), [&](const Pose& pose) { return same_pose(first, pose); }))
    return false;
  findings.push_back({Implausibility::same_pose, "/geometry", static_cast<double>(a.num_views()), 1, -1,
                      "/geometry: expected views from several directions, found one pose for all " +
                          std::to_string(a.num_views()) + " views (a run without rotation, or angles never written?)"});
  return true;
}

bool find_narrow_sweep(const std::vector<Vec3d>& directions, std::vector<Finding>& findings) {
  const double span = degrees(span_of(directions)), limit = kNarrowestSweep_deg;
  if (span >= limit) return false;
  findings.push_back({Implausibility::narrow_sweep, "/geometry", span, limit, -1,
                      "/geometry: expected directions at least " + rounded_text(limit) + " degrees apart, found " +
                          rounded_text(span) +
                          " degrees at most (angles turned into radians twice? then the sweep is of " +
                          rounded_text(degrees(span)) + " degrees)"});
  return true;
}

void find_angle_steps(const std::vector<Vec3d>& directions, std::vector<Finding>& findings) {
  const std::size_t steps = directions.size() - 1;
  if (steps < static_cast<std::size_t>(kFewestSteps)) return;
  Vec3d axis;
  for (std::size_t i = 0; i < steps; ++i) {
    const Vec3d turn = cross(directions[i], directions[i + 1]);
    axis += dot(axis, turn) < 0 ? -turn : turn;
  }
  double cosine = 0, sine = 0, total = 0;
  for (std::size_t i = 0; i < steps; ++i) {
    const Vec3d turn = cross(directions[i], directions[i + 1]);
    const double angle = angle_between(directions[i], directions[i + 1]) * (dot(axis, turn) < 0 ? -1 : 1);
    cosine += std::cos(angle);
    sine += std::sin(angle);
    total += degrees(std::abs(angle));
  }
  const double evenness = std::hypot(cosine, sine) / static_cast<double>(steps);
  const double step = degrees(std::abs(std::atan2(sine, cosine))), limit = kLargestStep_deg;
  if (evenness < kEvenSteps || step < limit || total < kLongestCoarseTurn_deg) return;
  findings.push_back({Implausibility::angle_steps, "/geometry", step, limit, -1,
                      "/geometry: expected steps of at most " + rounded_text(limit) +
                          " degrees from view to view in a sweep beyond a circle, found steps of " +
                          rounded_text(step) + " degrees, " + rounded_text(total) +
                          " degrees in all (degrees taken for radians?)"});
}

}  // namespace

void find_in_poses(const Acquisition& a, std::vector<Finding>& findings) {
  if (a.num_views() == 1) {
    findings.push_back({Implausibility::single_view, "/geometry", 1, 2, 0,
                        "/geometry: expected views from several directions, found 1 view (no depth can be told from "
                        "it; the others forgotten?)"});
    return;
  }
  if (find_same_pose(a, findings)) return;
  const std::vector<Vec3d> directions = directions_of(a.poses);
  if (!find_narrow_sweep(directions, findings)) find_angle_steps(directions, findings);
}

}  // namespace dsasrgs::plausible
