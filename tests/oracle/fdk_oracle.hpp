// SPDX-License-Identifier: Apache-2.0
#pragma once
// Analytic phantom: line integrals of uniform ellipsoids, along rays built from the poses' own vectors.

#include <cmath>
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

}  // namespace dsasrgs::test
