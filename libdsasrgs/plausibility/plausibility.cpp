// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/plausibility.hpp"

#include <cmath>
#include <numbers>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "number_text.hpp"
#include "plausibility/findings.hpp"
#include "plausibility/limits.hpp"

namespace dsasrgs {

std::string_view name_of(Implausibility kind) {
  switch (kind) {
    case Implausibility::line_integral_range:
      return "line_integral_range";
    case Implausibility::no_logarithm:
      return "no_logarithm";
    case Implausibility::reversed_subtraction:
      return "reversed_subtraction";
    case Implausibility::inverted_images:
      return "inverted_images";
    case Implausibility::moved_head:
      return "moved_head";
    case Implausibility::background_level:
      return "background_level";
    case Implausibility::saturated_views:
      return "saturated_views";
    case Implausibility::no_contrast:
      return "no_contrast";
    case Implausibility::constant_views:
      return "constant_views";
    case Implausibility::duplicate_views:
      return "duplicate_views";
    case Implausibility::few_valid_pixels:
      return "few_valid_pixels";
    case Implausibility::length_unit:
      return "length_unit";
    case Implausibility::detector_size:
      return "detector_size";
    case Implausibility::volume_size:
      return "volume_size";
    case Implausibility::volume_cut:
      return "volume_cut";
    case Implausibility::volume_off_detector:
      return "volume_off_detector";
    case Implausibility::signal_outside_volume:
      return "signal_outside_volume";
    case Implausibility::single_view:
      return "single_view";
    case Implausibility::same_pose:
      return "same_pose";
    case Implausibility::narrow_sweep:
      return "narrow_sweep";
    case Implausibility::angle_steps:
      return "angle_steps";
  }
  throw InvalidArgument("name_of: expected an implausibility, found " + std::to_string(static_cast<int>(kind)));
}

namespace plausible {

std::string percent(double share) { return rounded_text(100 * share) + " %"; }

std::string views_text(int count, int first) {
  if (count == 1) return "view " + std::to_string(first);
  return std::to_string(count) + " views, the first of them view " + std::to_string(first);
}

double source_to_detector_mm(const Pose& pose) {
  return std::abs(dot(pose.detector_center_mm - pose.source_mm, cross(pose.detector_u, pose.detector_v)));
}

bool same_pose(const Pose& a, const Pose& b) {
  const double near = kSamePose * source_to_detector_mm(a);
  return length(a.source_mm - b.source_mm) <= near && length(a.detector_center_mm - b.detector_center_mm) <= near;
}

double degrees(double rad) { return rad * 180 / std::numbers::pi; }

}  // namespace plausible

std::vector<Finding> implausibilities(const Acquisition& a) try {
  using namespace plausible;
  std::vector<Finding> findings;
  if (a.poses.empty()) return findings;
  const std::optional<ImageLevels> levels = find_in_images(a, findings);
  const bool volume_is_seen = find_in_geometry(a, findings);
  if (levels && volume_is_seen) find_signal_outside(a, *levels, findings);
  find_in_poses(a, findings);
  return findings;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
