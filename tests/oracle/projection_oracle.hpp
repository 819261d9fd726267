// SPDX-License-Identifier: Apache-2.0
#pragma once
// What project_forward makes of a Gaussian, in double, from the projection of points, numeric Jacobians and exact ray
// integrals; independent of kernels/project.

#include <array>
#include <cmath>

#include "dsasrgs/geometry.hpp"
#include "oracle/ray_integral_oracle.hpp"

namespace dsasrgs::test {

/// Σ₂ of a Gaussian from the numeric Jacobian of the library's point projection.
struct Covariance2 {
  double xx, xy, yy;
  Vec3d ju, jv;
};
inline Covariance2 covariance_oracle(const Pose& pose, const Detector& detector, const GaussianOracle& k) {
  // Four points on each axis: the error is the step's fourth power over that of the distance from the source.
  constexpr double kStep = 0.3;
  const auto column = [&](Vec3d e) {
    const auto at = [&](double steps) { return project_point(pose, detector, k.mean_mm + e * (steps * kStep)); };
    const Vec2d a = at(1), b = at(-1), c = at(2), d = at(-2);
    return Vec2d{(8 * (a.x - b.x) - (c.x - d.x)) / (12 * kStep), (8 * (a.y - b.y) - (c.y - d.y)) / (12 * kStep)};
  };
  const Vec2d x = column({1, 0, 0}), y = column({0, 1, 0}), z = column({0, 0, 1});
  const Vec3d ju{x.x, y.x, z.x}, jv{x.y, y.y, z.y};
  return {k.covariance(ju, ju), k.covariance(ju, jv), k.covariance(jv, jv), ju, jv};
}

/// Mean u, v, conic xx, xy, yy and amplitude, with or without the pixel footprint.
inline std::array<double, 6> projection_oracle(const Pose& pose, const Detector& detector, bool footprint,
                                               const GaussianOracle& k) {
  const Vec2d mean = project_point(pose, detector, k.mean_mm);
  const Covariance2 c = covariance_oracle(pose, detector, k);
  const double f = footprint ? 1.0 / 12 : 0, xx = c.xx + f, yy = c.yy + f;
  const double det = c.xx * c.yy - c.xy * c.xy, wide = xx * yy - c.xy * c.xy;
  return {mean.x,       mean.y,    yy / wide,
          -c.xy / wide, xx / wide, k.ray_integral(pose.source_mm, k.mean_mm) * std::sqrt(det / wide)};
}

}  // namespace dsasrgs::test
