// SPDX-License-Identifier: Apache-2.0
#pragma once
// Per-Gaussian formulas of the voxeliser and their VJP. Compiled in double by the gradient checks and by the CPU
// set-up.
//
// With W = diag(1/s)·Rᵀ = Q·U (Q orthonormal, U upper triangular) the precision matrix is Σ⁻¹ = WᵀW = UᵀU, and with
// d = x − μ the squared Mahalanobis distance is a sum of three squares that nest as the loops do:
//   z = U·d = (h, b, c),   c depends on the slice,   b on the slice and the row,   h on all three.
// So the bounds of a slice, a row and a chord are exact, and nothing cancels however thin the Gaussian is.

#include "common/gaussian_math.hpp"
#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// A Gaussian's scale and rotation with the factors of W.
template <class T>
struct VoxelShape {
  Vec3<T> scale;      ///< mm
  Mat3<T> rotation;   ///< R
  Mat3<T> basis;      ///< Q
  Mat3<T> whitening;  ///< U, 1/mm, zero below the diagonal
};

template <class T>
DSASRGS_HD VoxelShape<T> voxel_shape(Vec3<T> raw_scale, Quat<T> rotation, T min_mm, T max_mm) {
  const Vec3<T> s = bounded_scale(raw_scale, min_mm, max_mm);
  const Mat3<T> r = rotation_matrix(rotation);
  // Columns of W, orthonormalised in turn; det W > 0, so the last basis vector is the cross product.
  const Vec3<T> w0{r.r0.x / s.x, r.r0.y / s.y, r.r0.z / s.z};
  const Vec3<T> w1{r.r1.x / s.x, r.r1.y / s.y, r.r1.z / s.z};
  const Vec3<T> w2{r.r2.x / s.x, r.r2.y / s.y, r.r2.z / s.z};
  const T u00 = length(w0);
  const Vec3<T> q0 = w0 / u00;
  const T u01 = dot(q0, w1);
  const Vec3<T> rest = w1 - q0 * u01;
  const T u11 = length(rest);
  const Vec3<T> q1 = rest / u11;
  const Vec3<T> q2 = cross(q0, q1);
  const Mat3<T> columns{q0, q1, q2};
  return {s, r, columns.transposed(), {{u00, u01, dot(q0, w2)}, {T(0), u11, dot(q1, w2)}, {T(0), T(0), dot(q2, w2)}}};
}

/// Half widths of the box around {x : Mahalanobis distance ≤ cutoff}: cutoff·sqrt(Σ_xx), … [mm].
template <class T>
DSASRGS_HD Vec3<T> voxel_half_extent(const VoxelShape<T>& shape, T cutoff) {
  const auto along = [&](Vec3<T> r) {
    return cutoff * length(Vec3<T>{r.x * shape.scale.x, r.y * shape.scale.y, r.z * shape.scale.z});
  };
  return {along(shape.rotation.r0), along(shape.rotation.r1), along(shape.rotation.r2)};
}

/// Moments over a Gaussian's voxels of g·G, with g = dL/dvolume and G = exp(−½‖z‖²), in the coordinates z = (h, b, c).
template <class T>
struct VoxelMoments {
  T one{}, h{}, b{}, c{}, hh{}, hb{}, hc{}, bb{}, bc{}, cc{};
};

/// dL of one Gaussian.
template <class T>
struct VoxelGradient {
  Vec3<T> position_mm;
  Vec3<T> raw_scale;
  Quat<T> rotation;
  T density{};
};

/// VJP of ρ·G through z = U·(x − μ). With y = Q·z = W·(x − μ) and M = Q·(second moments)·Qᵀ:
///   ∂/∂ρ = Σ gG,  ∂/∂μ = ρ·Uᵀ·Σ gG z,  ∂/∂s_k = ρ·M_kk/s_k,  ∂/∂R = −ρ·R·diag(s)·M·diag(1/s).
template <class T>
DSASRGS_HD VoxelGradient<T> voxel_gaussian_vjp(const VoxelShape<T>& shape, Quat<T> rotation, T min_mm, T max_mm,
                                               T density, const VoxelMoments<T>& m) {
  const Vec3<T> s = shape.scale;
  const Mat3<T>& q = shape.basis;
  const Mat3<T> second{{m.hh, m.hb, m.hc}, {m.hb, m.bb, m.bc}, {m.hc, m.bc, m.cc}};
  // The moments are symmetric, so (Q·second)'s rows are second·(row of Q).
  const Mat3<T> moment{q * (second * q.r0), q * (second * q.r1), q * (second * q.r2)};
  const auto grad_row = [&](Vec3<T> r) {
    const Vec3<T> v = moment * Vec3<T>{r.x * s.x, r.y * s.y, r.z * s.z};
    return Vec3<T>{v.x / s.x, v.y / s.y, v.z / s.z} * -density;
  };
  const Mat3<T> grad_r{grad_row(shape.rotation.r0), grad_row(shape.rotation.r1), grad_row(shape.rotation.r2)};
  const Vec3<T> grad_scale{density * moment.r0.x / s.x, density * moment.r1.y / s.y, density * moment.r2.z / s.z};
  VoxelGradient<T> grad;
  grad.density = m.one;
  grad.position_mm = shape.whitening.transposed() * Vec3<T>{m.h, m.b, m.c} * density;
  grad.raw_scale = bounded_scale_vjp(s, min_mm, max_mm, grad_scale);
  grad.rotation = rotation_matrix_vjp(rotation, grad_r);
  return grad;
}

}  // namespace dsasrgs
