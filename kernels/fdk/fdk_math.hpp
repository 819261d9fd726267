// SPDX-License-Identifier: Apache-2.0
#pragma once
// Weights of filtered back-projection.

#include <cmath>
#include <numbers>

#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// Parker weight (Parker 1982) of the ray at fan angle γ in the view at angle β after the start of an arc of π + 2Δ:
/// rays seen twice, (β, γ) and (β + π + 2γ, −γ), get weights that add to 1 and go smoothly to 0 at the arc's ends.
/// Needs |γ| ≤ Δ ≤ π/2. γ is positive towards axis × (direction from source to axis), β grows about the axis.
template <class T>
DSASRGS_HD T parker_weight(T beta_rad, T gamma_rad, T delta_rad) {
  using std::sin;
  constexpr T pi = std::numbers::pi_v<T>;
  const T from_start = beta_rad, from_end = pi + T(2) * delta_rad - beta_rad;
  const T rise = T(2) * (delta_rad - gamma_rad), fall = T(2) * (delta_rad + gamma_rad);
  if (from_start < T(0) || from_end < T(0)) return T(0);
  if (from_start < rise) {
    const T s = sin(pi / T(2) * from_start / rise);
    return s * s;
  }
  if (from_end < fall) {
    const T s = sin(pi / T(2) * from_end / fall);
    return s * s;
  }
  return T(1);
}

/// Where on a full turn with a detector shifted along its rows the rays are seen twice: at |γ| < overlap. Beyond, on
/// the detector's longer side, once. `side` is the sign of γ there; 0: a detector that sees both sides alike.
struct HalfFan {
  double side = 0, overlap_rad = 0;
};

/// Redundancy weight (overlap > 0) of the ray at fan angle γ, relative to that of a ray seen twice: 1 in the middle of
/// the overlap; over its outer half, on either side, smoothly to 2 on the longer side and to 0 on the shorter, so that
/// the two measurements of a ray, γ and −γ, always add to 2 and the truncated end of the rows weighs nothing. (Parker's
/// sin² for a shifted detector, in the manner of Wang, Med. Phys. 29, 1634, 2002.)
template <class T>
DSASRGS_HD T half_fan_weight(T gamma_rad, T side, T overlap_rad) {
  using std::abs;
  using std::sin;
  const T from_middle = abs(gamma_rad) - T(0.5) * overlap_rad;
  if (from_middle <= T(0)) return T(1);
  T excess = T(1);
  if (from_middle < T(0.5) * overlap_rad) {
    const T s = sin(std::numbers::pi_v<T> * from_middle / overlap_rad);
    excess = s * s;
  }
  return gamma_rad * side > T(0) ? T(1) + excess : T(1) - excess;
}

/// Sample n of the band-limited ramp filter for samples one unit apart (Kak and Slaney 1988, eq. 3.61).
template <class T>
DSASRGS_HD T ramp_kernel(int n) {
  constexpr T pi = std::numbers::pi_v<T>;
  if (n == 0) return T(0.25);
  return n % 2 == 0 ? T(0) : T(-1) / (pi * pi * T(n) * T(n));
}

/// Hann window at a frequency given as a fraction of Nyquist.
template <class T>
DSASRGS_HD T hann_window(T frequency) {
  using std::cos;
  return T(0.5) * (T(1) + cos(std::numbers::pi_v<T> * frequency));
}

/// A view's rays and their weights: the ray to pixel position (px, py) is corner + px·per_column + py·per_row.
struct FilterView {
  Vec3d corner, per_column, per_row;
  Vec3d toward_axis, tangent;           ///< of the source's arc
  double width = 0;                     ///< pixels per row
  double radius_mm = 0;                 ///< distance of the source from the axis
  double share = 0;                     ///< of the arc, so scaled that all views add to the integral over half a turn
  double angle_rad = 0, delta_rad = 0;  ///< as in parker_weight; delta_rad = 0: no Parker weights
  HalfFan half_fan;
};

/// One detector row of it; s counts pixels along the row. Trivial, so that it can be in shared memory.
struct FilterRow {
  float scale;
  float start[3], step[3];  ///< ray at s = 0, and its change per pixel
  float depth_start, depth_step, tangent_start, tangent_step;
  float angle_rad, delta_rad;
  float half_fan_side, half_fan_overlap_rad;
};

/// Row r of a view, worked out in double.
DSASRGS_HD inline FilterRow filter_row(const FilterView& view, int r) {
  const Vec3d left = view.corner + view.per_row * (static_cast<double>(r) + 0.5);
  const Vec3d right = left + view.per_column * view.width;
  const auto virtual_u = [&](Vec3d ray) {
    return view.radius_mm * dot(ray, view.tangent) / dot(ray, view.toward_axis);
  };
  // Pitch of the row's samples in the plane of the axis; the ramp kernel is for a pitch of one.
  const double pitch_mm = std::fabs(virtual_u(right) - virtual_u(left)) / view.width;
  const auto f = [](double v) { return static_cast<float>(v); };
  return {f(view.share / pitch_mm),
          {f(left.x), f(left.y), f(left.z)},
          {f(view.per_column.x), f(view.per_column.y), f(view.per_column.z)},
          f(dot(left, view.toward_axis)),
          f(dot(view.per_column, view.toward_axis)),
          f(dot(left, view.tangent)),
          f(dot(view.per_column, view.tangent)),
          f(view.angle_rad),
          f(view.delta_rad),
          f(view.half_fan.side),
          f(view.half_fan.overlap_rad)};
}

/// Cosine weight × the row's scale at pixel position s.
DSASRGS_HD inline float cosine_weight(const FilterRow& row, float s) {
  const float x = row.start[0] + s * row.step[0], y = row.start[1] + s * row.step[1],
              z = row.start[2] + s * row.step[2];
  return row.scale * (row.depth_start + s * row.depth_step) / std::sqrt(x * x + y * y + z * z);
}

/// Weight of a ray that other views, or other rows of a full turn, see too.
DSASRGS_HD inline float redundancy_weight(const FilterRow& row, float s) {
  if (row.delta_rad <= 0.0f && row.half_fan_side == 0.0f) return 1.0f;
  const float fan_angle = std::atan2(row.tangent_start + s * row.tangent_step, row.depth_start + s * row.depth_step);
  return row.delta_rad > 0.0f ? parker_weight(row.angle_rad, fan_angle, row.delta_rad)
                              : half_fan_weight(fan_angle, row.half_fan_side, row.half_fan_overlap_rad);
}
/// Whether all redundancy weights of two rows are the same.
inline bool same_fan(const FilterRow& a, const FilterRow& b) {
  return a.depth_start == b.depth_start && a.depth_step == b.depth_step && a.tangent_start == b.tangent_start &&
         a.tangent_step == b.tangent_step && a.angle_rad == b.angle_rad && a.delta_rad == b.delta_rad &&
         a.half_fan_side == b.half_fan_side && a.half_fan_overlap_rad == b.half_fan_overlap_rad;
}

/// Both weights.
DSASRGS_HD inline float ray_weight(const FilterRow& row, float s) {
  return cosine_weight(row, s) * redundancy_weight(row, s);
}

/// Affine function of voxel indices.
struct IndexPlane {
  double constant = 0, per_x = 0, per_y = 0, per_z = 0;
};

}  // namespace dsasrgs
