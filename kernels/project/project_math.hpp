// SPDX-License-Identifier: Apache-2.0
#pragma once
// Projection of one Gaussian and its VJP: one text for double (tests) and float (every backend). Because rows of J
// times R S are kept as two 3-vectors a and b, every determinant here is a sum of squares and cannot come out negative.

#include <cstdint>

#include "common/gaussian_math.hpp"
#include "dsasrgs/gaussians.hpp"
#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

/// A view's constants, computed in double and rounded once. With z = n·(x − o), the pixel coordinate is
/// m_u = axis_u·(x − o) / z + principal_u, where axis_u = D·û/pitch_u, and likewise for v.
template <class T>
struct ProjectionConstants {
  Vec3<T> source_mm, normal, axis_u, axis_v;
  T principal_u_px, principal_v_px;
  T nearest_z;       ///< Gaussians are projected when z exceeds this
  T footprint_px2;   ///< 1/12 with the pixel footprint, else 0
  T min_mm, max_mm;  ///< scale bounds

  template <class U>
  ProjectionConstants<U> as() const {
    return {source_mm.template as<U>(),
            normal.template as<U>(),
            axis_u.template as<U>(),
            axis_v.template as<U>(),
            U(principal_u_px),
            U(principal_v_px),
            U(nearest_z),
            U(footprint_px2),
            U(min_mm),
            U(max_mm)};
  }
};

/// Where the detector stands as the source sees it. The normal û × v̂ points from the source to the detector whichever
/// handedness (û, v̂) has.
struct DetectorFrame {
  Vec3d center_mm;  ///< from the source
  Vec3d normal;
  double sign;  ///< normal = sign · û × v̂
  double distance_mm;
};
inline DetectorFrame detector_frame(const Pose& pose) {
  const Vec3d c = pose.detector_center_mm - pose.source_mm;
  const Vec3d n = cross(pose.detector_u, pose.detector_v);
  const double sign = dot(c, n) < 0 ? -1.0 : 1.0;
  return {c, n * sign, sign, dot(c, n) * sign};
}

/// Constants of a view.
inline ProjectionConstants<double> projection_constants(const Pose& pose, const Detector& detector, ScaleBounds bounds,
                                                        bool pixel_footprint) {
  /// Gaussians nearer to the source's plane than this part of the source-detector distance count as at the plane.
  constexpr double kNearest = 1e-3;
  const DetectorFrame frame = detector_frame(pose);
  return {pose.source_mm,
          frame.normal,
          pose.detector_u * (frame.distance_mm / detector.pitch_u_mm),
          pose.detector_v * (frame.distance_mm / detector.pitch_v_mm),
          detector.width_px * 0.5 - dot(frame.center_mm, pose.detector_u) / detector.pitch_u_mm,
          detector.height_px * 0.5 - dot(frame.center_mm, pose.detector_v) / detector.pitch_v_mm,
          kNearest * frame.distance_mm,
          pixel_footprint ? 1.0 / 12.0 : 0.0,
          static_cast<double>(bounds.min_mm),
          static_cast<double>(bounds.max_mm)};
}

/// A projected Gaussian and what its VJP needs again.
template <class T>
struct Projection {
  T mean_u, mean_v, conic_xx, conic_xy, conic_yy, amplitude;
  T cov_xx, cov_xy, cov_yy;  ///< Σ₂ with the footprint, px²
  // Intermediate values.
  T density, inverse_z, slope_u, slope_v;  ///< slope = axis·r/z = mean − principal
  Vec3<T> jacobian_u, jacobian_v;          ///< d(mean)/dx, px/mm
  Vec3<T> scale;
  Mat3<T> rotation;
  Vec3<T> a, b;     ///< (R S)ᵀ jacobian_u and …_v: Σ₂ = [a·a, a·b; a·b, b·b]
  T det, det_wide;  ///< of Σ₂ without and with the footprint
  Vec3<T> ray;      ///< unit vector from the source to the Gaussian
  T inverse_distance;
  Vec3<T> w;  ///< S⁻¹ Rᵀ ray
  T w_norm2, eta, footprint_gain;
};

template <class T>
struct ProjectionUpstream {
  T mean_u, mean_v, conic_xx, conic_xy, conic_yy, amplitude;
};

template <class T>
struct ProjectionGradient {
  Vec3<T> position, raw_scale;
  Quat<T> rotation;
  T density;
};

/// Depth of a point along the detector's normal.
template <class T>
DSASRGS_HD T projection_depth(const ProjectionConstants<T>& view, Vec3<T> position) {
  return dot(view.normal, position - view.source_mm);
}

/// Requires projection_depth > nearest_z.
template <class T>
DSASRGS_HD Projection<T> project_gaussian(const ProjectionConstants<T>& view, Vec3<T> position, Vec3<T> raw_scale,
                                          Quat<T> quaternion, T density) {
  using std::sqrt;
  Projection<T> p;
  const Vec3<T> r = position - view.source_mm;
  p.inverse_z = T(1) / dot(view.normal, r);
  p.slope_u = dot(view.axis_u, r) * p.inverse_z;
  p.slope_v = dot(view.axis_v, r) * p.inverse_z;
  p.mean_u = p.slope_u + view.principal_u_px;
  p.mean_v = p.slope_v + view.principal_v_px;
  p.jacobian_u = (view.axis_u - view.normal * p.slope_u) * p.inverse_z;
  p.jacobian_v = (view.axis_v - view.normal * p.slope_v) * p.inverse_z;

  p.scale = bounded_scale(raw_scale, view.min_mm, view.max_mm);
  p.rotation = rotation_matrix(quaternion);
  const Mat3<T> axes = p.rotation.transposed();
  const Vec3<T> ju = axes * p.jacobian_u, jv = axes * p.jacobian_v;
  p.a = {p.scale.x * ju.x, p.scale.y * ju.y, p.scale.z * ju.z};
  p.b = {p.scale.x * jv.x, p.scale.y * jv.y, p.scale.z * jv.z};
  const T xx = dot(p.a, p.a), yy = dot(p.b, p.b);
  const Vec3<T> normal_ab = cross(p.a, p.b);
  p.det = dot(normal_ab, normal_ab);  // Lagrange's identity: (a·a)(b·b) − (a·b)²
  const T f = view.footprint_px2;
  p.cov_xx = xx + f;
  p.cov_xy = dot(p.a, p.b);
  p.cov_yy = yy + f;
  p.det_wide = p.det + f * (xx + yy) + f * f;
  const T inverse_det = T(1) / p.det_wide;
  p.conic_xx = p.cov_yy * inverse_det;
  p.conic_xy = -p.cov_xy * inverse_det;
  p.conic_yy = p.cov_xx * inverse_det;
  p.footprint_gain = sqrt(p.det * inverse_det);

  p.inverse_distance = T(1) / length(r);
  p.ray = r * p.inverse_distance;
  const Vec3<T> local = axes * p.ray;
  p.w = {local.x / p.scale.x, local.y / p.scale.y, local.z / p.scale.z};
  p.w_norm2 = dot(p.w, p.w);
  constexpr double kSqrtTwoPi = 2.5066282746310005024;
  p.eta = T(kSqrtTwoPi) / sqrt(p.w_norm2);
  p.density = density;
  p.amplitude = density * p.eta * p.footprint_gain;
  return p;
}

/// Gradients of a Gaussian, and what those of its position were made of: by the Jacobian's rows, the slopes and the
/// depth, each with what comes through those that are made of it.
template <class T>
struct ProjectionGradients {
  ProjectionGradient<T> gaussian;
  Vec3<T> jacobian_u, jacobian_v;
  T slope_u, slope_v, depth;
};

/// VJP of project_gaussian, but for the last step to the view's constants (project_pose_math.hpp).
template <class T>
DSASRGS_HD ProjectionGradients<T> project_gaussian_gradients(const ProjectionConstants<T>& view, const Projection<T>& p,
                                                             Quat<T> quaternion, const ProjectionUpstream<T>& up) {
  const T f = view.footprint_px2;
  // conic = Σ₂⁻¹: dL/dΣ₂ = −K G K for the symmetric G whose off-diagonal is half the derivative of the stored xy.
  const T gxy = up.conic_xy / T(2);
  const T m00 = p.conic_xx * up.conic_xx + p.conic_xy * gxy, m01 = p.conic_xx * gxy + p.conic_xy * up.conic_yy;
  const T m10 = p.conic_xy * up.conic_xx + p.conic_yy * gxy, m11 = p.conic_xy * gxy + p.conic_yy * up.conic_yy;
  T grad_xx = -(m00 * p.conic_xx + m01 * p.conic_xy);
  T grad_xy = T(-2) * (m00 * p.conic_xy + m01 * p.conic_yy);
  T grad_yy = -(m10 * p.conic_xy + m11 * p.conic_yy);
  // footprint_gain² = det/det_wide. Without a footprint both terms are equal and cancel exactly.
  const T grad_log_gain = up.amplitude * p.amplitude / T(2);
  const T inverse_det = T(1) / p.det, inverse_wide = T(1) / p.det_wide;
  grad_xx += grad_log_gain * ((p.cov_yy - f) * inverse_det - p.cov_yy * inverse_wide);
  grad_yy += grad_log_gain * ((p.cov_xx - f) * inverse_det - p.cov_xx * inverse_wide);
  grad_xy += grad_log_gain * T(-2) * p.cov_xy * (inverse_det - inverse_wide);

  const Vec3<T> grad_a = p.a * (T(2) * grad_xx) + p.b * grad_xy;
  const Vec3<T> grad_b = p.b * (T(2) * grad_yy) + p.a * grad_xy;

  // a_k = s_k (R_k · j_u), b_k likewise; R_k is column k of the rotation.
  const Vec3<T> sa{grad_a.x * p.scale.x, grad_a.y * p.scale.y, grad_a.z * p.scale.z};
  const Vec3<T> sb{grad_b.x * p.scale.x, grad_b.y * p.scale.y, grad_b.z * p.scale.z};
  const Vec3<T> grad_ju = p.rotation * sa, grad_jv = p.rotation * sb;
  Vec3<T> grad_scale{(grad_a.x * p.a.x + grad_b.x * p.b.x) / p.scale.x,
                     (grad_a.y * p.a.y + grad_b.y * p.b.y) / p.scale.y,
                     (grad_a.z * p.a.z + grad_b.z * p.b.z) / p.scale.z};

  // η = √(2π)/‖w‖, w_k = (R_k · ray)/s_k.
  const T grad_eta = up.amplitude * p.density * p.footprint_gain;
  const Vec3<T> grad_w = p.w * (-grad_eta * p.eta / p.w_norm2);
  const Vec3<T> gws{grad_w.x / p.scale.x, grad_w.y / p.scale.y, grad_w.z / p.scale.z};
  grad_scale -= {gws.x * p.w.x, gws.y * p.w.y, gws.z * p.w.z};
  const Vec3<T> grad_ray = p.rotation * gws;

  ProjectionGradient<T> g;
  Mat3<T> grad_axes;  // by columns R_k of the rotation
  grad_axes.r0 = p.jacobian_u * sa.x + p.jacobian_v * sb.x + p.ray * gws.x;
  grad_axes.r1 = p.jacobian_u * sa.y + p.jacobian_v * sb.y + p.ray * gws.y;
  grad_axes.r2 = p.jacobian_u * sa.z + p.jacobian_v * sb.z + p.ray * gws.z;
  g.rotation = rotation_matrix_vjp(quaternion, grad_axes.transposed());
  g.raw_scale = bounded_scale_vjp(p.scale, view.min_mm, view.max_mm, grad_scale);

  // j = (axis − n·slope)/z, mean = slope + principal, slope = axis·r/z.
  const T grad_slope_u = up.mean_u - dot(grad_ju, view.normal) * p.inverse_z;
  const T grad_slope_v = up.mean_v - dot(grad_jv, view.normal) * p.inverse_z;
  const T grad_z = -p.inverse_z * (dot(grad_ju, p.jacobian_u) + dot(grad_jv, p.jacobian_v) + grad_slope_u * p.slope_u +
                                   grad_slope_v * p.slope_v);
  g.position = view.axis_u * (grad_slope_u * p.inverse_z) + view.axis_v * (grad_slope_v * p.inverse_z) +
               view.normal * grad_z + (grad_ray - p.ray * dot(p.ray, grad_ray)) * p.inverse_distance;
  g.density = up.amplitude * p.eta * p.footprint_gain;
  return {g, grad_ju, grad_jv, grad_slope_u, grad_slope_v, grad_z};
}

/// VJP of project_gaussian with respect to position, raw scale, quaternion and density.
template <class T>
DSASRGS_HD ProjectionGradient<T> project_gaussian_vjp(const ProjectionConstants<T>& view, const Projection<T>& p,
                                                      Quat<T> quaternion, const ProjectionUpstream<T>& up) {
  return project_gaussian_gradients(view, p, quaternion, up).gaussian;
}

/// First and one-past-last pixel in [0, size) whose centre lies in mean ± extent; NaN gives an empty range.
DSASRGS_HD inline void pixel_range(float mean, float extent, int size, std::int32_t& begin, std::int32_t& end) {
  const float limit = static_cast<float>(size);
  const float low = mean - extent - 0.5f, high = mean + extent - 0.5f;
  const float first = low > 0 ? (low < limit ? low : limit) : 0.0f;
  begin = static_cast<std::int32_t>(first);
  begin += static_cast<float>(begin) < first ? 1 : 0;
  end = high >= 0 ? static_cast<std::int32_t>(high < limit - 1 ? high : limit - 1) + 1 : 0;
}

}  // namespace dsasrgs
