// SPDX-License-Identifier: Apache-2.0
#pragma once
// Derivatives of the projection by the pose, both ways (VJP and JVP), in two steps: between a Gaussian's projection and
// the constants of its view, one text for double (tests) and float (every backend), and between those constants and the
// pose, in double on the host.

#include "project/project.hpp"
#include "project/project_math.hpp"

namespace dsasrgs {

/// A number for each of a view's constants that a pose moves: a loss's derivatives by them, or their tangents. Scale
/// bounds and footprint do not depend on the pose; nearest_z only says which Gaussians are projected.
template <class T>
struct PoseConstants {
  Vec3<T> source_mm, normal, axis_u, axis_v;
  T principal_u_px, principal_v_px;

  /// In the order of kPoseSums.
  DSASRGS_HD void write(T (&s)[kPoseSums]) const {
    s[0] = source_mm.x;
    s[1] = source_mm.y;
    s[2] = source_mm.z;
    s[3] = normal.x;
    s[4] = normal.y;
    s[5] = normal.z;
    s[6] = axis_u.x;
    s[7] = axis_u.y;
    s[8] = axis_u.z;
    s[9] = axis_v.x;
    s[10] = axis_v.y;
    s[11] = axis_v.z;
    s[12] = principal_u_px;
    s[13] = principal_v_px;
  }
  static PoseConstants from(const T (&s)[kPoseSums]) {
    return {{s[0], s[1], s[2]}, {s[3], s[4], s[5]}, {s[6], s[7], s[8]}, {s[9], s[10], s[11]}, s[12], s[13]};
  }
  template <class U>
  PoseConstants<U> as() const {
    return {source_mm.template as<U>(), normal.template as<U>(), axis_u.template as<U>(),
            axis_v.template as<U>(),    U(principal_u_px),       U(principal_v_px)};
  }
};

/// VJP of project_gaussian with respect to the view's constants.
template <class T>
DSASRGS_HD PoseConstants<T> project_gaussian_pose_vjp(const ProjectionConstants<T>& view, const Projection<T>& p,
                                                      Vec3<T> position, Quat<T> quaternion,
                                                      const ProjectionUpstream<T>& up) {
  const ProjectionGradients<T> g = project_gaussian_gradients(view, p, quaternion, up);
  const Vec3<T> r = position - view.source_mm;
  // The source is in r = x − o alone. z = n·r, slope = axis·r/z, j = (axis − n·slope)/z.
  return {-g.gaussian.position,
          r * g.depth - (g.jacobian_u * p.slope_u + g.jacobian_v * p.slope_v) * p.inverse_z,
          (r * g.slope_u + g.jacobian_u) * p.inverse_z,
          (r * g.slope_v + g.jacobian_v) * p.inverse_z,
          up.mean_u,
          up.mean_v};
}

/// Change of a Gaussian's projection.
template <class T>
struct ProjectionTangent {
  T mean_u, mean_v, conic_xx, conic_xy, conic_yy, amplitude;
};

/// JVP of project_gaussian along a change of the view's constants.
template <class T>
DSASRGS_HD ProjectionTangent<T> project_gaussian_pose_jvp(const ProjectionConstants<T>& view, const Projection<T>& p,
                                                          Vec3<T> position, const PoseConstants<T>& d) {
  const Vec3<T> r = position - view.source_mm, dr = -d.source_mm;
  const T dz = dot(d.normal, r) + dot(view.normal, dr);
  const T d_slope_u = (dot(d.axis_u, r) + dot(view.axis_u, dr) - p.slope_u * dz) * p.inverse_z;
  const T d_slope_v = (dot(d.axis_v, r) + dot(view.axis_v, dr) - p.slope_v * dz) * p.inverse_z;
  const Vec3<T> d_ju = (d.axis_u - d.normal * p.slope_u - view.normal * d_slope_u - p.jacobian_u * dz) * p.inverse_z;
  const Vec3<T> d_jv = (d.axis_v - d.normal * p.slope_v - view.normal * d_slope_v - p.jacobian_v * dz) * p.inverse_z;

  const Mat3<T> axes = p.rotation.transposed();
  const Vec3<T> ju = axes * d_ju, jv = axes * d_jv;
  const Vec3<T> da{p.scale.x * ju.x, p.scale.y * ju.y, p.scale.z * ju.z};
  const Vec3<T> db{p.scale.x * jv.x, p.scale.y * jv.y, p.scale.z * jv.z};
  const T d_xx = T(2) * dot(p.a, da), d_xy = dot(da, p.b) + dot(p.a, db), d_yy = T(2) * dot(p.b, db);

  // The footprint's gain is sqrt(det/det_wide). Without a footprint both terms are equal and cancel exactly.
  const T f = view.footprint_px2, inverse_det = T(1) / p.det, inverse_wide = T(1) / p.det_wide;
  const T d_log_gain = (((p.cov_yy - f) * inverse_det - p.cov_yy * inverse_wide) * d_xx +
                        ((p.cov_xx - f) * inverse_det - p.cov_xx * inverse_wide) * d_yy -
                        T(2) * p.cov_xy * (inverse_det - inverse_wide) * d_xy) /
                       T(2);

  // η = √(2π)/‖w‖, w = S⁻¹ Rᵀ ray.
  const Vec3<T> d_ray = axes * ((dr - p.ray * dot(p.ray, dr)) * p.inverse_distance);
  const Vec3<T> dw{d_ray.x / p.scale.x, d_ray.y / p.scale.y, d_ray.z / p.scale.z};
  const T d_log_eta = -dot(p.w, dw) / p.w_norm2;

  // K = Σ₂⁻¹: dK = −K dΣ₂ K.
  const T xx = p.conic_xx, xy = p.conic_xy, yy = p.conic_yy;
  return {d_slope_u + d.principal_u_px,
          d_slope_v + d.principal_v_px,
          -(xx * xx * d_xx + T(2) * xx * xy * d_xy + xy * xy * d_yy),
          -(xx * xy * d_xx + (xx * yy + xy * xy) * d_xy + xy * yy * d_yy),
          -(xy * xy * d_xx + T(2) * xy * yy * d_xy + yy * yy * d_yy),
          p.amplitude * (d_log_eta + d_log_gain)};
}

/// VJP of projection_constants to the pose.
inline PoseGradient projection_constants_vjp(const Pose& pose, const Detector& detector,
                                             const PoseConstants<double>& g) {
  const DetectorFrame frame = detector_frame(pose);
  const Vec3d u = pose.detector_u / detector.pitch_u_mm, v = pose.detector_v / detector.pitch_v_mm;
  // axis_u = û·D/pitch, principal_u = W/2 − c·û/pitch, D = c·n, n = ±û × v̂, c = centre − source.
  const double grad_distance = dot(g.axis_u, u) + dot(g.axis_v, v);
  const Vec3d grad_normal = (g.normal + frame.center_mm * grad_distance) * frame.sign;
  const Vec3d grad_center = frame.normal * grad_distance - u * g.principal_u_px - v * g.principal_v_px;
  return {g.source_mm - grad_center, grad_center,
          (g.axis_u * frame.distance_mm - frame.center_mm * g.principal_u_px) / detector.pitch_u_mm +
              cross(pose.detector_v, grad_normal),
          (g.axis_v * frame.distance_mm - frame.center_mm * g.principal_v_px) / detector.pitch_v_mm +
              cross(grad_normal, pose.detector_u)};
}

/// JVP of projection_constants along a change of the pose.
inline PoseConstants<double> projection_constants_jvp(const Pose& pose, const Detector& detector,
                                                      const PoseTangent& d) {
  const DetectorFrame frame = detector_frame(pose);
  const Vec3d dc = d.detector_center_mm - d.source_mm;
  const Vec3d dn = (cross(d.detector_u, pose.detector_v) + cross(pose.detector_u, d.detector_v)) * frame.sign;
  const double d_distance = dot(dc, frame.normal) + dot(frame.center_mm, dn);
  return {d.source_mm,
          dn,
          (d.detector_u * frame.distance_mm + pose.detector_u * d_distance) / detector.pitch_u_mm,
          (d.detector_v * frame.distance_mm + pose.detector_v * d_distance) / detector.pitch_v_mm,
          -(dot(dc, pose.detector_u) + dot(frame.center_mm, d.detector_u)) / detector.pitch_u_mm,
          -(dot(dc, pose.detector_v) + dot(frame.center_mm, d.detector_v)) / detector.pitch_v_mm};
}

}  // namespace dsasrgs
