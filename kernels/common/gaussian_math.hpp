// SPDX-License-Identifier: Apache-2.0
#pragma once
// Per-Gaussian formulas shared by projection and voxelisation: bounded scale, rotation, covariance, and their VJPs.
// Compiled in double for gradient checks and in float by both backends.

#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// A pixel or voxel belongs to a Gaussian iff its squared Mahalanobis distance is at most kCutoff². Geometry only, so
/// every operator stays linear in density. 3.5 leaves out 0.22 % of a projected Gaussian's mass.
inline constexpr float kCutoff = 3.5f;

template <class T>
DSASRGS_HD T sigmoid(T x) {
  using std::exp;
  return T(1) / (T(1) + exp(-x));
}

/// Numerically safe ln(1 + e^x).
template <class T>
DSASRGS_HD T softplus(T x) {
  using std::exp;
  using std::log1p;
  return x > T(0) ? x + log1p(exp(-x)) : log1p(exp(x));
}

/// Bounded scale (4DRGS): s = min + (max − min)·sigmoid(raw).
template <class T>
DSASRGS_HD Vec3<T> bounded_scale(Vec3<T> raw, T min_mm, T max_mm) {
  const T span = max_mm - min_mm;
  return {min_mm + span * sigmoid(raw.x), min_mm + span * sigmoid(raw.y), min_mm + span * sigmoid(raw.z)};
}
/// ds/draw applied to grad_scale; `scale` is the forward result.
template <class T>
DSASRGS_HD Vec3<T> bounded_scale_vjp(Vec3<T> scale, T min_mm, T max_mm, Vec3<T> grad_scale) {
  const T span = max_mm - min_mm;
  const auto one = [&](T s, T g) {
    const T f = (s - min_mm) / span;
    return g * span * f * (T(1) - f);
  };
  return {one(scale.x, grad_scale.x), one(scale.y, grad_scale.y), one(scale.z, grad_scale.z)};
}
/// Inverse of bounded_scale for one axis; the scale is first moved inside the bounds by 1e-3 of their span.
template <class T>
DSASRGS_HD T raw_scale_from(T scale_mm, T min_mm, T max_mm) {
  using std::log;
  T f = (scale_mm - min_mm) / (max_mm - min_mm);
  f = f < T(1e-3) ? T(1e-3) : (f > T(1) - T(1e-3) ? T(1) - T(1e-3) : f);
  return log(f / (T(1) - f));
}

/// Rotation matrix of the quaternion q/‖q‖; its columns are the Gaussian's axes in the world.
template <class T>
DSASRGS_HD Mat3<T> rotation_matrix(Quat<T> q) {
  using std::sqrt;
  const T inv = T(1) / sqrt(q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z);
  const T w = q.w * inv, x = q.x * inv, y = q.y * inv, z = q.z * inv;
  return {{T(1) - T(2) * (y * y + z * z), T(2) * (x * y - w * z), T(2) * (x * z + w * y)},
          {T(2) * (x * y + w * z), T(1) - T(2) * (x * x + z * z), T(2) * (y * z - w * x)},
          {T(2) * (x * z - w * y), T(2) * (y * z + w * x), T(1) - T(2) * (x * x + y * y)}};
}
/// dR/dq applied to grad_R, through the normalisation.
template <class T>
DSASRGS_HD Quat<T> rotation_matrix_vjp(Quat<T> q, const Mat3<T>& g) {
  using std::sqrt;
  const T inv = T(1) / sqrt(q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z);
  const T w = q.w * inv, x = q.x * inv, y = q.y * inv, z = q.z * inv;
  const Quat<T> unit{
      T(2) * (x * (g.r2.y - g.r1.z) + y * (g.r0.z - g.r2.x) + z * (g.r1.x - g.r0.y)),
      T(2) * (T(-2) * x * (g.r1.y + g.r2.z) + y * (g.r0.y + g.r1.x) + z * (g.r0.z + g.r2.x) + w * (g.r2.y - g.r1.z)),
      T(2) * (x * (g.r0.y + g.r1.x) - T(2) * y * (g.r0.x + g.r2.z) + z * (g.r1.z + g.r2.y) + w * (g.r0.z - g.r2.x)),
      T(2) * (x * (g.r0.z + g.r2.x) + y * (g.r1.z + g.r2.y) - T(2) * z * (g.r0.x + g.r1.y) + w * (g.r1.x - g.r0.y))};
  const T along = unit.w * w + unit.x * x + unit.y * y + unit.z * z;
  return {(unit.w - along * w) * inv, (unit.x - along * x) * inv, (unit.y - along * y) * inv,
          (unit.z - along * z) * inv};
}

}  // namespace dsasrgs
