#pragma once
// Per-kernel formulas of density control.

#include <cmath>

#include "common/gaussian_math.hpp"
#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// ‖dL/d mean‖ with the image spanning [−1,1] along both sides: a normalised unit is W/2 (H/2) pixels.
template <class T>
DSASRGS_HD T normalised_gradient_norm(T grad_x, T grad_y, int width_px, int height_px) {
  using std::sqrt;
  const T x = grad_x * (static_cast<T>(width_px) / T(2)), y = grad_y * (static_cast<T>(height_px) / T(2));
  return sqrt(x * x + y * y);
}

/// Offset of a split child from its parent: R·diag(s)·n, n standard normal, so that its covariance is the parent's.
template <class T>
DSASRGS_HD Vec3<T> child_offset(Vec3<T> scale, Quat<T> rotation, Vec3<T> normal) {
  return rotation_matrix(rotation) * Vec3<T>{scale.x * normal.x, scale.y * normal.y, scale.z * normal.z};
}

}  // namespace dsasrgs
