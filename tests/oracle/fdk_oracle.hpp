// SPDX-License-Identifier: Apache-2.0
#pragma once
// Analytic phantom: line integrals of uniform ellipsoids, along rays built from the poses' own vectors.

#include <cmath>
#include <cstddef>
#include <vector>

#include "dsasrgs/geometry.hpp"

namespace dsasrgs::test {

/// Axis-aligned ellipsoid of uniform attenuation.
struct Ellipsoid {
  Vec3d center_mm, semi_axes_mm;
  double attenuation_per_mm = 0.02;

  bool contains(Vec3d p, double shrink = 1) const {
    const Vec3d d = unit(p - center_mm);
    return dot(d, d) <= shrink * shrink;
  }
  /// Attenuation times the length of the chord of the line from a towards b.
  double line_integral(Vec3d a, Vec3d b) const {
    const Vec3d o = unit(a - center_mm), d = unit((b - a) / length(b - a));
    const double half = dot(o, d) / dot(d, d), rest = (dot(o, o) - 1) / dot(d, d), root = half * half - rest;
    return root > 0 ? attenuation_per_mm * 2 * std::sqrt(root) : 0;
  }

 private:
  Vec3d unit(Vec3d v) const { return {v.x / semi_axes_mm.x, v.y / semi_axes_mm.y, v.z / semi_axes_mm.z}; }
};

/// [V,H,W] line integrals through pixel centres.
inline std::vector<float> project_ellipsoids(const std::vector<Ellipsoid>& phantom, const std::vector<Pose>& poses,
                                             const Detector& d) {
  std::vector<float> image;
  for (const Pose& pose : poses)
    for (int r = 0; r < d.height_px; ++r)
      for (int c = 0; c < d.width_px; ++c) {
        const Vec3d pixel = pose.detector_center_mm + pose.detector_u * ((c + 0.5 - d.width_px / 2.0) * d.pitch_u_mm) +
                            pose.detector_v * ((r + 0.5 - d.height_px / 2.0) * d.pitch_v_mm);
        double sum = 0;
        for (const Ellipsoid& e : phantom) sum += e.line_integral(pose.source_mm, pixel);
        image.push_back(static_cast<float>(sum));
      }
  return image;
}

/// Σ over the views of (R / distance of the voxel's plane from the source)² × its filtered sample, in double, from the
/// poses' own vectors. `filtered` is [V, W + 2, H + 2] with a border of one pixel, column by column; towards_axis and
/// radius_mm are those of the sources' arc.
struct FilteredView {
  Pose pose;
  Vec3d towards_axis;
  double radius_mm = 0;
  const float* image = nullptr;
};
inline double back_projected(const std::vector<FilteredView>& views, const Detector& d, Vec3d voxel) {
  double sum = 0;
  for (const FilteredView& v : views) {
    const Vec3d ray = voxel - v.pose.source_mm, to_center = v.pose.detector_center_mm - v.pose.source_mm;
    const Vec3d normal = cross(v.pose.detector_u, v.pose.detector_v);
    const double reach = dot(ray, normal) / dot(to_center, normal), distance = dot(ray, v.towards_axis) / v.radius_mm;
    if (reach <= 0 || distance <= 0) continue;
    const Vec3d on_detector = ray / reach - to_center;
    // Sample (c, r) of the padded image is at (c, r).
    const double c = dot(on_detector, v.pose.detector_u) / d.pitch_u_mm + 0.5 * d.width_px + 0.5;
    const double r = dot(on_detector, v.pose.detector_v) / d.pitch_v_mm + 0.5 * d.height_px + 0.5;
    if (c < 0.5 || c > d.width_px + 0.5 || r < 0.5 || r > d.height_px + 0.5) continue;
    const int ic = static_cast<int>(c), ir = static_cast<int>(r);
    const auto at = [&](int column, int row) {
      return static_cast<double>(v.image[static_cast<std::ptrdiff_t>(column) * (d.height_px + 2) + row]);
    };
    const double fc = c - ic, fr = r - ir;
    sum += ((1 - fr) * ((1 - fc) * at(ic, ir) + fc * at(ic + 1, ir)) +
            fr * ((1 - fc) * at(ic, ir + 1) + fc * at(ic + 1, ir + 1))) /
           (distance * distance);
  }
  return sum;
}

/// A row times its weights, convolved with the taps (taps[|m|] for the sample m columns away), in double.
inline std::vector<double> filtered_row(const std::vector<double>& weighted, const std::vector<double>& taps) {
  std::vector<double> out(weighted.size());
  for (std::size_t c = 0; c < out.size(); ++c)
    for (std::size_t k = 0; k < weighted.size(); ++k) out[c] += weighted[k] * taps[c < k ? k - c : c - k];
  return out;
}

}  // namespace dsasrgs::test
