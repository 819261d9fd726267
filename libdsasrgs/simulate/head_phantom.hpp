// SPDX-License-Identifier: Apache-2.0
#pragma once
// The static background of simulated runs: soft tissue, skull and a few dense or airy structures, as ellipsoids whose
// attenuations add. The line integral of each is its chord in closed form.

#include <cmath>
#include <vector>

#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

/// Ellipsoid with axes along the world's; attenuation is added to what it lies in (negative: less than there).
struct BackgroundEllipsoid {
  Vec3d center_mm, half_axes_mm;
  double attenuation_per_mm = 0;
};

/// A head about the isocentre, about 190 mm long, roughly at 60 keV: water 0.0205/mm, skull 0.055/mm, air spaces.
/// +x is the left, +y the front, +z up.
inline std::vector<BackgroundEllipsoid> head_ellipsoids() {
  return {{{0, 0, 0}, {80, 95, 88}, 0.0205},                                           // scalp and everything in it
          {{0, 0, 2}, {76, 90, 83}, 0.0345},                                           // skull, outer table
          {{0, 0, 2}, {70.5, 83, 77}, -0.0345},                                        // brain instead of bone
          {{33, -8, -42}, {21, 8, 7}, 0.03},                                           // petrous bones
          {{-33, -8, -42}, {21, 8, 7}, 0.03},     {{0, 30, -48}, {24, 22, 5}, 0.025},  // anterior skull base
          {{19, 68, -50}, {11, 10, 13}, -0.018},                                       // maxillary sinuses
          {{-19, 68, -50}, {11, 10, 13}, -0.018}, {{0, 82, -8}, {14, 4, 9}, -0.02}};   // frontal sinus
}

/// The ellipsoids as one source sees them: line integrals of all rays from it.
class BackgroundView {
 public:
  BackgroundView(const std::vector<BackgroundEllipsoid>& ellipsoids, Vec3d source_mm, Vec3d shift_mm) {
    for (const BackgroundEllipsoid& e : ellipsoids) {
      const Vec3d inverse{1 / e.half_axes_mm.x, 1 / e.half_axes_mm.y, 1 / e.half_axes_mm.z};
      const Vec3d o = source_mm - e.center_mm - shift_mm;
      const Vec3d scaled{o.x * inverse.x, o.y * inverse.y, o.z * inverse.z};
      seen_.push_back({scaled, inverse, dot(scaled, scaled) - 1, 2 * e.attenuation_per_mm});
    }
  }

  /// ∫ attenuation along the whole line through the source in a unit direction.
  double line_integral(Vec3d direction) const {
    double sum = 0;
    for (const Seen& e : seen_) {
      const Vec3d d{direction.x * e.inverse.x, direction.y * e.inverse.y, direction.z * e.inverse.z};
      const double a = dot(d, d), b = dot(d, e.source), discriminant = b * b - a * e.c;
      if (discriminant > 0) sum += e.twice_attenuation * std::sqrt(discriminant) / a;
    }
    return sum;
  }

 private:
  struct Seen {
    Vec3d source, inverse;  ///< source relative to the centre, in half axes
    double c, twice_attenuation;
  };
  std::vector<Seen> seen_;
};

}  // namespace dsasrgs
