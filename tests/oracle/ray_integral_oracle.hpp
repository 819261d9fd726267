// SPDX-License-Identifier: Apache-2.0
#pragma once
// The exact line integral of a Gaussian, and its covariance, in double; independent of
// kernels/common/gaussian_math.hpp.

#include <cmath>
#include <numbers>

#include "dsasrgs/math.hpp"

namespace dsasrgs::test {

/// A Gaussian by its constrained parameters.
struct GaussianOracle {
  Vec3d mean_mm, scale_mm;
  Quat<double> rotation;  ///< any length but zero
  double density_per_mm;

  /// Axis k of the Gaussian in the world: q·e_k·q⁻¹ by v' = v + 2w(r×v) + 2 r×(r×v) for the normalised q = (w, r).
  Vec3d axis(int k) const {
    const Quat<double>& q = rotation;
    const double norm = std::sqrt(q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z);
    const Vec3d r = Vec3d{q.x, q.y, q.z} / norm, v{k == 0 ? 1.0 : 0.0, k == 1 ? 1.0 : 0.0, k == 2 ? 1.0 : 0.0};
    const Vec3d rv = cross(r, v);
    return v + rv * (2 * q.w / norm) + cross(r, rv) * 2.0;
  }
  /// aᵀ Σ⁻¹ b.
  double precision(Vec3d a, Vec3d b) const {
    return dot(a, axis(0)) * dot(b, axis(0)) / (scale_mm.x * scale_mm.x) +
           dot(a, axis(1)) * dot(b, axis(1)) / (scale_mm.y * scale_mm.y) +
           dot(a, axis(2)) * dot(b, axis(2)) / (scale_mm.z * scale_mm.z);
  }
  /// aᵀ Σ b.
  double covariance(Vec3d a, Vec3d b) const {
    return dot(a, axis(0)) * dot(b, axis(0)) * (scale_mm.x * scale_mm.x) +
           dot(a, axis(1)) * dot(b, axis(1)) * (scale_mm.y * scale_mm.y) +
           dot(a, axis(2)) * dot(b, axis(2)) * (scale_mm.z * scale_mm.z);
  }
  /// ∫ density along the line through `source` and `point` (method.md section 1).
  double ray_integral(Vec3d source, Vec3d point) const {
    const Vec3d d = normalized(point - source), m = mean_mm - source;
    const double a = precision(d, d), b = precision(d, m), c = precision(m, m);
    return density_per_mm * std::sqrt(2 * std::numbers::pi / a) * std::exp(-0.5 * (c - b * b / a));
  }
};

}  // namespace dsasrgs::test
