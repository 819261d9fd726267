// SPDX-License-Identifier: Apache-2.0
// Lengths, detector and volume that do not fit a scanner or each other.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "number_text.hpp"
#include "plausibility/findings.hpp"
#include "plausibility/limits.hpp"

namespace dsasrgs::plausible {

namespace {

std::string interval(double from, double to) { return rounded_text(from) + " to " + rounded_text(to); }

double larger_side_mm(const Detector& d) { return std::max(d.width_px * d.pitch_u_mm, d.height_px * d.pitch_v_mm); }

/// The bound that `value` is beyond, if it is.
std::optional<double> bound_broken(double value, double least, double most) {
  if (value < least) return least;
  if (value > most) return most;
  return std::nullopt;
}

bool find_length_unit(const Acquisition& a, std::vector<Finding>& findings) {
  for (std::size_t v = 0; v < a.poses.size(); ++v) {
    const double sdd = source_to_detector_mm(a.poses[v]);
    const auto limit = bound_broken(sdd, kShortestSdd_mm, kLongestSdd_mm);
    if (!limit) continue;
    findings.push_back({Implausibility::length_unit, "/geometry", sdd, *limit, static_cast<int>(v),
                        "/geometry: expected " + interval(kShortestSdd_mm, kLongestSdd_mm) +
                            " mm from source to detector, found " + rounded_text(sdd) + " mm in view " +
                            std::to_string(v) + " (lengths in m, cm or um? the file's are mm)"});
    return true;
  }
  const double side = a.volume.largest_side_mm();
  const auto limit = bound_broken(side, kSmallestVolume_mm, kLargestVolume_mm);
  if (!limit) return false;
  findings.push_back({Implausibility::length_unit, "/volume", side, *limit, -1,
                      "/volume: expected a longest side of " + interval(kSmallestVolume_mm, kLargestVolume_mm) +
                          " mm, found " + rounded_text(side) + " mm (spacing in m or um? the file's lengths are mm)"});
  return true;
}

bool find_detector_size(const Acquisition& a, std::vector<Finding>& findings) {
  const double side = larger_side_mm(a.detector);
  for (std::size_t v = 0; v < a.poses.size(); ++v) {
    const double sdd = source_to_detector_mm(a.poses[v]), angle = degrees(2 * std::atan(side / 2 / sdd));
    const auto limit = bound_broken(angle, kNarrowestView_deg, kWidestView_deg);
    if (!limit) continue;
    findings.push_back({Implausibility::detector_size, "/geometry@pixel_pitch_mm", angle, *limit, static_cast<int>(v),
                        "/geometry@pixel_pitch_mm: expected a detector seen from the source under " +
                            interval(kNarrowestView_deg, kWidestView_deg) + " degrees, found " + rounded_text(angle) +
                            " degrees: " + rounded_text(side) + " mm, " + rounded_text(sdd) +
                            " mm away (pitch in cm, m or um, or at the isocentre? of a full-size image?)"});
    return true;
  }
  return false;
}

/// How a view sees the volume.
struct Sight {
  double detector_depth_mm = 0, volume_depth_mm = 0;  ///< from the source, along the detector's normal
  double cut_mm = 0;                                  ///< the volume behind source or detector
  bool center_on_detector = false;
};

Sight sight_of(const Acquisition& a, const Pose& pose) {
  Vec3d normal = cross(pose.detector_u, pose.detector_v);
  if (dot(pose.detector_center_mm - pose.source_mm, normal) < 0) normal = -normal;
  const auto depth = [&](Vec3d p) { return dot(p - pose.source_mm, normal); };
  Sight sight;
  sight.detector_depth_mm = depth(pose.detector_center_mm);
  const Vec3d center = a.volume.center_mm(), half = a.volume.extent_mm() * 0.5;
  sight.volume_depth_mm = depth(center);
  const double reach = std::abs(half.x * normal.x) + std::abs(half.y * normal.y) + std::abs(half.z * normal.z);
  sight.cut_mm = std::max(reach - sight.volume_depth_mm, sight.volume_depth_mm + reach - sight.detector_depth_mm);
  const Vec2d p = project_point(pose, a.detector, center);
  sight.center_on_detector = p.x >= 0 && p.y >= 0 && p.x <= a.detector.width_px && p.y <= a.detector.height_px;
  return sight;
}

std::vector<Sight> sights_of(const Acquisition& a) {
  std::vector<Sight> sights;
  sights.reserve(a.poses.size());
  for (const Pose& pose : a.poses) sights.push_back(sight_of(a, pose));
  return sights;
}

bool find_volume_size(const Acquisition& a, const std::vector<Sight>& sights, std::vector<Finding>& findings) {
  std::vector<double> widths;
  widths.reserve(sights.size());
  for (const Sight& s : sights)
    widths.push_back(a.volume.largest_side_mm() * s.detector_depth_mm / s.volume_depth_mm / larger_side_mm(a.detector));
  const auto middle = widths.begin() + static_cast<std::ptrdiff_t>(widths.size() / 2);
  std::nth_element(widths.begin(), middle, widths.end());
  const auto limit = bound_broken(*middle, kSmallestShadow, kLargestShadow);
  if (!limit) return false;
  findings.push_back({Implausibility::volume_size, "/volume", *middle, *limit, -1,
                      "/volume: expected a volume of " + interval(kSmallestShadow, kLargestShadow) +
                          " detector widths as projected, found " + rounded_text(*middle) + ": " +
                          rounded_text(a.volume.largest_side_mm()) + " mm, projected on a detector of " +
                          rounded_text(larger_side_mm(a.detector)) +
                          " mm (spacing in another unit than poses and pixel pitch, or a wrong pitch?)"});
  return true;
}

bool find_volume_cut(const std::vector<Sight>& sights, std::vector<Finding>& findings) {
  const auto worst = std::max_element(sights.begin(), sights.end(),
                                      [](const Sight& x, const Sight& y) { return x.cut_mm < y.cut_mm; });
  if (worst->cut_mm <= 0) return false;
  const int view = static_cast<int>(worst - sights.begin());
  findings.push_back({Implausibility::volume_cut, "/volume", worst->cut_mm, 0, view,
                      "/volume: expected all of it between source and detector, found " + rounded_text(worst->cut_mm) +
                          " mm of it behind one of them in view " + std::to_string(view) +
                          " (a volume too large, or the wrong distances?)"});
  return true;
}

/// The point nearest to all central rays, unless they are parallel.
std::optional<Vec3d> meeting_point(const std::vector<Pose>& poses) {
  Mat3<double> m;
  Vec3d b;
  for (const Pose& pose : poses) {
    const Vec3d d = normalized(pose.detector_center_mm - pose.source_mm), s = pose.source_mm;
    m.r0 += Vec3d{1, 0, 0} - d * d.x;
    m.r1 += Vec3d{0, 1, 0} - d * d.y;
    m.r2 += Vec3d{0, 0, 1} - d * d.z;
    b += s - d * dot(d, s);
  }
  // Cramer's rule on the symmetric matrix.
  const double determinant = dot(m.r0, cross(m.r1, m.r2));
  const double n = static_cast<double>(poses.size());
  constexpr double kParallel = 1e-4;
  if (determinant < kParallel * n * n * n) return std::nullopt;
  return Vec3d{dot(b, cross(m.r1, m.r2)), dot(m.r0, cross(b, m.r2)), dot(m.r0, cross(m.r1, b))} / determinant;
}

bool find_volume_off_detector(const Acquisition& a, const std::vector<Sight>& sights, std::vector<Finding>& findings) {
  int count = 0, first = -1;
  for (std::size_t v = 0; v < sights.size(); ++v)
    if (!sights[v].center_on_detector && count++ == 0) first = static_cast<int>(v);
  const double share = static_cast<double>(count) / static_cast<double>(sights.size()),
               limit = kLargestShareOffDetector;
  if (share <= limit) return false;
  std::string message = "/volume: expected its centre on the detector, found it beside the detector in " +
                        percent(share) + " of the views, the first of them view " + std::to_string(first);
  if (const auto point = meeting_point(a.poses))
    message +=
        "; it is " + rounded_text(length(a.volume.center_mm() - *point)) + " mm from where the central rays meet";
  findings.push_back({Implausibility::volume_off_detector, "/volume", share, limit, first,
                      message + " (a wrong origin, which is the outer corner of voxel 0, or a detector offset?)"});
  return true;
}

/// Whether the ray from source to p meets the box.
bool meets(const VolumeGrid& box, Vec3d source, Vec3d p) {
  const Vec3d d = p - source, low = box.origin_mm, high = box.origin_mm + box.extent_mm();
  double from = 0, to = INFINITY;
  const auto clip = [&](double s, double step, double least, double most) {
    if (step == 0) {
      if (s < least || s > most) to = -1;
      return;
    }
    const double t0 = (least - s) / step, t1 = (most - s) / step;
    from = std::max(from, std::min(t0, t1));
    to = std::min(to, std::max(t0, t1));
  };
  clip(source.x, d.x, low.x, high.x);
  clip(source.y, d.y, low.y, high.y);
  clip(source.z, d.z, low.z, high.z);
  return from <= to;
}

/// Contrast of one view: all of it, and what lies beside the volume's shadow.
struct Signal {
  double all = 0, outside = 0;
};

Signal signal_of(const Acquisition& a, int view, const ImageLevels& levels, double threshold, int step) {
  const auto image = a.projection(view);
  const auto valid = a.valid_pixels(view);
  const Pose& pose = a.poses[static_cast<std::size_t>(view)];
  Signal signal;
  for (int row = step / 2; row < a.detector.height_px; row += step)
    for (int column = step / 2; column < a.detector.width_px; column += step) {
      const std::size_t i = static_cast<std::size_t>(row) * static_cast<std::size_t>(a.detector.width_px) +
                            static_cast<std::size_t>(column);
      if (!(image[i] > threshold) || (!valid.empty() && valid[i] == 0)) continue;
      const double above = std::min<double>(image[i], levels.high) - levels.background;  // a hot pixel is not a vessel
      signal.all += above;
      if (!meets(a.volume, pose.source_mm, detector_point(pose, a.detector, {column + 0.5, row + 0.5})))
        signal.outside += above;
    }
  return signal;
}

}  // namespace

bool find_in_geometry(const Acquisition& a, std::vector<Finding>& findings) {
  if (find_length_unit(a, findings) || find_detector_size(a, findings)) return false;
  const std::vector<Sight> sights = sights_of(a);
  return !find_volume_size(a, sights, findings) && !find_volume_off_detector(a, sights, findings) &&
         !find_volume_cut(sights, findings);
}

void find_signal_outside(const Acquisition& a, const ImageLevels& levels, std::vector<Finding>& findings) {
  constexpr double kMostPixels = 1 << 23;  // of all views, sampled
  const int step = std::max(1, static_cast<int>(std::sqrt(static_cast<double>(a.projections.size()) / kMostPixels)));
  const double threshold =
      levels.background + std::max(kSignalInNoise * levels.noise, kFaintestSignal * levels.height());
  Signal sum;
  int view = -1;
  double most = 0;
  for (int v = 0; v < a.num_views(); ++v) {
    const Signal signal = signal_of(a, v, levels, threshold, step);
    sum.all += signal.all;
    sum.outside += signal.outside;
    if (signal.outside > most) {
      most = signal.outside;
      view = v;
    }
  }
  const double limit = kLargestSignalOutside;
  if (!(sum.outside > limit * sum.all)) return;
  const double share = sum.outside / sum.all;
  findings.push_back(
      {Implausibility::signal_outside_volume, "/volume", share, limit, view,
       "/volume: expected nearly all contrast within its projection, found " + percent(share) +
           " of it outside, most in view " + std::to_string(view) +
           " (a volume too small or displaced, a forgotten detector offset, images without subtraction?)"});
}

}  // namespace dsasrgs::plausible
