// SPDX-License-Identifier: Apache-2.0
#include "import/imported_case.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <string_view>
#include <utility>

#include "common/checks.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/plausibility.hpp"
#include "number_text.hpp"

namespace dsasrgs {

namespace {

constexpr int kMostVoxelsOfSide = 256;
constexpr double kDegree = std::numbers::pi / 180;

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  std::string text() const { return range_text(low, high); }
};

/// How far the isocentre is from the planes through the source and both ends of the detector along `axis`; positive
/// where it is inside.
std::pair<double, double> room_mm(const Pose& pose, Vec3d axis, Vec3d along, double half_mm) {
  const auto room = [&](double side) {
    const Vec3d edge = pose.detector_center_mm + axis * (side * half_mm) - pose.source_mm;
    Vec3d inward = normalized(cross(edge, along));
    if (dot(inward, pose.detector_center_mm - pose.source_mm) < 0) inward = -inward;
    return -dot(inward, pose.source_mm);
  };
  return {room(-1), room(1)};
}

void add_angles(const std::vector<Pose>& poses, std::vector<std::string>& found) {
  Range primary, secondary, sod, sdd, offset_u, offset_v;
  double before = 0;
  for (std::size_t v = 0; v < poses.size(); ++v) {
    const Pose& p = poses[v];
    double a = std::atan2(p.source_mm.y, p.source_mm.x) / kDegree;
    if (v > 0) a += 360 * std::round((before - a) / 360);  // a sweep goes on beyond ±180 degrees
    before = a;
    primary.add(a);
    secondary.add(std::asin(std::clamp(p.source_mm.z / length(p.source_mm), -1.0, 1.0)) / kDegree);
    sod.add(length(p.source_mm));
    sdd.add(source_depth_mm(p));
    // From the foot of the perpendicular through source and isocentre, as carm_pose counts it.
    const Vec3d n = cross(p.detector_u, p.detector_v);
    const double stretch = dot(p.detector_center_mm - p.source_mm, n) / dot(-p.source_mm, n);
    const Vec3d shift = p.detector_center_mm - (p.source_mm - p.source_mm * stretch);
    offset_u.add(dot(shift, p.detector_u));
    offset_v.add(dot(shift, p.detector_v));
  }
  found.push_back("primary angle: " + primary.text() + " degrees");
  found.push_back("secondary angle: " + secondary.text() + " degrees");
  found.push_back("source to isocentre: " + sod.text() + " mm");
  found.push_back("source to detector: " + sdd.text() + " mm");
  found.push_back("detector offset: u " + offset_u.text() + " mm, v " + offset_v.text() + " mm");
}

void describe_import(ImportedCase& imported) {
  const Acquisition& a = imported.acquisition;
  std::vector<std::string>& found = imported.found;
  found.push_back("views: " + std::to_string(a.num_views()));
  found.push_back("detector: " + std::to_string(a.detector.width_px) + " x " + std::to_string(a.detector.height_px) +
                  " pixels of " + rounded_text(a.detector.pitch_u_mm) + " x " + rounded_text(a.detector.pitch_v_mm) +
                  " mm");
  add_angles(a.poses, found);
  found.push_back("time: " + range_text(a.first_time_s(), a.last_time_s()) + " s");
  const VolumeGrid& g = a.volume;
  const Vec3d center = g.center_mm();
  found.push_back("volume: " + std::to_string(g.size_x) + " x " + std::to_string(g.size_y) + " x " +
                  std::to_string(g.size_z) + " voxels of " + rounded_text(g.spacing_mm.x) + " x " +
                  rounded_text(g.spacing_mm.y) + " x " + rounded_text(g.spacing_mm.z) + " mm about (" +
                  rounded_text(center.x) + ", " + rounded_text(center.y) + ", " + rounded_text(center.z) + ") mm");
  const auto [low, high] = std::minmax_element(a.projections.begin(), a.projections.end());
  found.push_back("line integrals: " + rounded_text(*low) + " to " + rounded_text(*high));
  if (!a.valid.empty()) {
    const auto invalid = std::count(a.valid.begin(), a.valid.end(), std::uint8_t{0});
    if (static_cast<std::size_t>(invalid) == a.valid.size())
      throw BadInput(a.name, "pixels", "some that count", "none: all are hidden, saturated or without a mask");
    found.push_back("pixels that do not count: " +
                    rounded_text(100 * static_cast<double>(invalid) / static_cast<double>(a.valid.size())) + " %");
  }
  if (!a.train_views.empty())
    found.push_back("training views: " + std::to_string(a.train_views.size()) +
                    ", test views: " + std::to_string(a.test_views.size()));
}

/// What the file calls a field of the acquisition, behind it: whoever reads the message has the file.
std::string with_file_name(const std::string& message, bool is_distance, const FileNames& names) {
  const std::string_view text = message;
  const auto name = [&]() -> const std::string& {
    if (text.starts_with("/geometry@pixel_pitch_mm")) return names.pitch;
    if (text.starts_with("/geometry/source_mm")) return names.source;
    if (text.starts_with("/geometry/detector_center_mm")) return names.detector;
    if (text.starts_with("/geometry")) return is_distance ? names.detector : names.angles;
    static const std::string kNone;
    return text.starts_with("/volume") ? names.volume : kNone;
  }();
  const std::size_t end = message.find(": ");
  return name.empty() || end == message.npos ? message
                                             : message.substr(0, end) + " (" + name + ")" + message.substr(end);
}

/// As Acquisition::validate, in the file's words, too.
void validate_import(const Acquisition& a, const FileNames& names) try { a.validate(); } catch (const BadInput& e) {
  const std::string message = e.what(), file = a.name + ": ", expected = ": expected ", found = ", found ";
  const std::size_t at = message.find(expected), end = message.find(found, std::min(at, message.size()));
  if (!message.starts_with(file) || at == message.npos || end == message.npos) throw;
  const std::string told = with_file_name(message.substr(file.size(), at + 2 - file.size()), false, names);
  throw BadInput(a.name, told.substr(0, told.size() - 2),
                 message.substr(at + expected.size(), end - at - expected.size()), message.substr(end + found.size()));
}

}  // namespace

VolumeGrid box_in_view(const Detector& detector, const std::vector<Pose>& poses) {
  require(!poses.empty(), "box_in_view", "poses: expected at least one, found none");
  require_detector("box_in_view", detector);
  double radius = std::numeric_limits<double>::infinity(), height = radius, spacing = radius;
  for (std::size_t v = 0; v < poses.size(); ++v) {
    const Pose& p = poses[v];
    require_pose("box_in_view", p);
    const auto across = room_mm(p, p.detector_u, p.detector_v, 0.5 * detector.width_px * detector.pitch_u_mm);
    const auto along = room_mm(p, p.detector_v, p.detector_u, 0.5 * detector.height_px * detector.pitch_v_mm);
    radius = std::min(radius, std::max(across.first, across.second));
    height = std::min({height, along.first, along.second});
    require(radius > 0 && height > 0 && std::min(across.first, across.second) > -radius, "box_in_view",
            "poses: expected the isocentre (0, 0, 0) in view, found it outside view ", v);
    const Vec3d n = cross(p.detector_u, p.detector_v);
    const double demagnified = std::abs(dot(p.source_mm, n)) / source_depth_mm(p);
    spacing = std::min(spacing, std::min(detector.pitch_u_mm, detector.pitch_v_mm) * demagnified);
  }
  spacing = std::max(spacing, 2 * std::max(radius, height) / kMostVoxelsOfSide);
  const auto voxels = [&](double half_mm) {
    return std::clamp(static_cast<int>(std::lround(2 * half_mm / spacing)), 1, kMostVoxelsOfSide);
  };
  VolumeGrid grid{voxels(radius), voxels(radius), voxels(height), {spacing, spacing, spacing}, {}};
  grid.origin_mm = grid.extent_mm() * -0.5;
  return grid;
}

std::string range_text(double low, double high) {
  const auto text = [](double value) {
    const std::string three = rounded_text(value);
    return std::abs(value) >= 1000 ? three : rounded_text(std::round(value * 100) / 100);
  };
  const std::string first = text(low), last = text(high);
  return first == last ? first : first + " to " + last;
}

void reorder_views(Acquisition& a, const std::vector<std::size_t>& order, std::vector<float>* beside) {
  if (std::is_sorted(order.begin(), order.end())) return;
  const std::size_t pixels = a.detector.num_pixels();
  const auto reorder = [&](auto& images) {
    if (images.size() != order.size() * pixels) return;  // the same for all views
    std::remove_reference_t<decltype(images)> sorted;
    sorted.reserve(images.size());
    for (const std::size_t view : order)
      sorted.insert(sorted.end(), images.begin() + static_cast<std::ptrdiff_t>(view * pixels),
                    images.begin() + static_cast<std::ptrdiff_t>((view + 1) * pixels));
    images = std::move(sorted);
  };
  reorder(a.projections);
  if (beside != nullptr) reorder(*beside);
  if (order.size() > 1) reorder(a.valid);
  std::vector<Pose> poses;
  poses.reserve(order.size());
  for (const std::size_t view : order) poses.push_back(a.poses[view]);
  a.poses = std::move(poses);
}

std::size_t subtract_counts(const float* mask, const float* fill, std::size_t n, float* line_integral,
                            unsigned char* valid) {
  std::size_t refused = 0;
  for (std::size_t i = 0; i < n; ++i) {
    valid[i] = mask[i] > 0 && fill[i] > 0 && std::isfinite(mask[i]) && std::isfinite(fill[i]) ? 1 : 0;
    line_integral[i] =
        valid[i] != 0
            ? static_cast<float>(std::log(static_cast<double>(mask[i])) - std::log(static_cast<double>(fill[i])))
            : 0.0f;
    refused += valid[i] == 0 ? 1 : 0;
  }
  return refused;
}

void finish_import(ImportedCase& imported, const ImportOptions& options, const FileSays& file) {
  Acquisition& a = imported.acquisition;
  if (!file.has_times) {
    const double duration_s = options.duration_s.value_or(file.duration_s);
    require_field(duration_s >= 0 && is_time(duration_s), "duration_s", "0 to 1e9 s", duration_s);
    const double last = static_cast<double>(std::max<std::size_t>(a.poses.size(), 2) - 1);
    for (std::size_t v = 0; v < a.poses.size(); ++v) a.poses[v].time_s = duration_s * static_cast<double>(v) / last;
    if (!options.duration_s && file.duration_s > 0)
      imported.warnings.push_back(a.name + ": times: expected those of the views, found none: evenly spaced over " +
                                  rounded_text(file.duration_s) + " s (options.duration_s gives another)");
  }
  if (options.volume) {
    if (!(*options.volume == a.volume)) a.reference_volume.reset();
    a.volume = *options.volume;
  } else if (!file.has_volume) {
    try {
      a.volume = box_in_view(a.detector, a.poses);
    } catch (const InvalidArgument& e) {
      const std::string found = e.what();
      throw BadInput(a.name, "volume", "a region by hand (options.volume), or poses that see the isocentre",
                     found.substr(found.rfind("found ") + 6));
    }
  }
  if (options.num_train_views) {
    const std::string expected = "1 to " + std::to_string(a.num_views());
    require_field(*options.num_train_views >= 1 && *options.num_train_views <= a.num_views(), "num_train_views",
                  expected.c_str(), *options.num_train_views);
    split_evenly(a, *options.num_train_views);
  }
  validate_import(a, file.names);
  describe_import(imported);
  constexpr double kTurn = 360, kRounding = 1e-3;
  if (const double largest = file.largest_angle_rad / kDegree; largest > kTurn + kRounding)
    imported.warnings.push_back(a.name + ": angles: expected within a full turn, found up to " + rounded_text(largest) +
                                " degrees (a slip, or degrees where the format has radians?)");
  for (const Finding& finding : implausibilities(a))
    imported.warnings.push_back(
        a.name + ": " + with_file_name(finding.message, finding.kind == Implausibility::length_unit, file.names));
}

}  // namespace dsasrgs
