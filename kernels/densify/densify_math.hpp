// SPDX-License-Identifier: Apache-2.0
#pragma once
// Per-Gaussian formulas of density control.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "common/gaussian_math.hpp"
#include "common/random.hpp"
#include "densify/densify.hpp"
#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// ‖dL/d mean‖ with the image spanning [−1,1] along both sides: a normalised unit is W/2 (H/2) pixels.
template <class T>
DSASRGS_HD T normalised_gradient_norm(T grad_x, T grad_y, int width_px, int height_px) {
  using std::sqrt;
  const T x = grad_x * (static_cast<T>(width_px) / T(2)), y = grad_y * (static_cast<T>(height_px) / T(2));
  return sqrt(x * x + y * y);
}

/// Pixels a visible Gaussian covers: π·kCutoff²·sqrt(det Σ₂), but no more than its box has.
DSASRGS_HD inline float pixels_covered(const float* conic, const PixelBox& box) {
  using std::fma;
  using std::sqrt;
  const float of_box = static_cast<float>(box.x_end - box.x_begin) * static_cast<float>(box.y_end - box.y_begin);
  // xx·yy − xy² with the rounding of the second product made good: it cancels for thin Gaussians.
  const float xx = conic[0], xy = conic[1], yy = conic[2], product = xy * xy;
  const float det = fma(xx, yy, -product) + fma(-xy, xy, product);
  constexpr float kPi = 3.14159265f;
  const float of_ellipse = kPi * kCutoff * kCutoff / sqrt(det);
  return of_ellipse < of_box ? of_ellipse : of_box;  // also where rounding made det negative
}

/// Adds one view's gradient norm with its weight.
DSASRGS_HD inline void add_weighted(float weight, float gradient_norm, float& sum, float& sum_of_weights) {
  using std::fma;
  sum = fma(weight, gradient_norm, sum);
  sum_of_weights += weight;
}

/// What becomes of an old Gaussian.
enum class Fate : std::uint8_t { prune, keep, clone, split };

struct Judgement {
  Fate fate;
  float score;
};

/// What judge() reads. Nothing in judge() rounds differently on another backend, so all backends make the same plan.
struct JudgeInput {
  const float *position_mm, *raw_scale, *rotation, *gradient_norm, *density;
  const std::uint32_t* visible_steps;
  std::uint32_t steps;
  Vec3d box_origin_mm, box_extent_mm;
  float min_mean_density, gradient_threshold;
  double split_raw_scale;  ///< bounded_scale(raw) > split_scale_mm where raw is above this
  bool clone, prune;
  const float* pixels;  ///< null without pixel weights
  float random_prune;
  std::uint64_t seed, step;
};

inline JudgeInput judge_input(const DensityControl& control, const GaussianView& gaussians,
                              const DensityStatistics& statistics) {
  const double low = gaussians.bounds.min_mm, high = gaussians.bounds.max_mm, split = control.split_scale_mm;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double split_raw_scale =
      split <= low ? -kInfinity : (split < high ? std::log((split - low) / (high - split)) : kInfinity);
  return {gaussians.position_mm.data(),
          gaussians.raw_scale.data(),
          gaussians.rotation.data(),
          statistics.gradient_norm.data(),
          statistics.density.data(),
          statistics.visible_steps.data(),
          statistics.steps,
          control.box.origin_mm,
          control.box.extent_mm(),
          control.min_mean_density,
          control.gradient_threshold,
          split_raw_scale,
          control.clone,
          control.prune,
          statistics.weighs_pixels() ? statistics.pixels.data() : nullptr,
          control.random_prune,
          control.seed,
          control.step};
}

DSASRGS_HD inline bool all_finite(const float* values, int count) {
  for (int k = 0; k < count; ++k)
    if (!std::isfinite(values[k])) return false;
  return true;
}

/// What Gaussian i's own numbers say, before the cap. The score matters only where it is selected.
DSASRGS_HD inline Judgement judge(const JudgeInput& in, std::size_t i) {
  const float *p = in.position_mm + 3 * i, *raw = in.raw_scale + 3 * i;
  const Judgement unfit{in.prune ? Fate::prune : Fate::keep, 0};
  if (!all_finite(p, 3) || !all_finite(raw, 3) || !all_finite(in.rotation + 4 * i, 4)) return unfit;
  const Vec3d d = Vec3d{p[0], p[1], p[2]} - in.box_origin_mm, e = in.box_extent_mm;
  if (!(d.x >= 0 && d.y >= 0 && d.z >= 0 && d.x <= e.x && d.y <= e.y && d.z <= e.z)) return unfit;
  if (in.steps > 0) {
    const float mean_density = in.density[i] / static_cast<float>(in.steps);
    if (!(mean_density >= in.min_mean_density)) return unfit;  // also a density that is not a number
  }
  if (in.prune && in.random_prune > 0 &&
      random_uniform4(in.seed, RandomStream::random_prune, in.step, i).u[0] < in.random_prune)
    return unfit;
  const std::uint32_t visible = in.visible_steps[i];
  const float weight = in.pixels != nullptr ? in.pixels[i] : static_cast<float>(visible);
  const float score = visible > 0 && weight > 0 ? in.gradient_norm[i] / weight : 0.0f;
  if (!(score > in.gradient_threshold)) return {Fate::keep, score};
  const bool large = raw[0] > in.split_raw_scale || raw[1] > in.split_raw_scale || raw[2] > in.split_raw_scale;
  return {large ? Fate::split : in.clone ? Fate::clone : Fate::keep, score};
}

/// New Gaussians that a selected Gaussian adds to the count: what it takes of the room under the cap.
DSASRGS_HD inline std::uint32_t cost_of(Fate fate, std::uint32_t split_children) {
  return fate == Fate::clone ? 1 : (fate == Fate::split ? split_children - 1 : 0);
}

/// Offset of a split child from its parent: R·diag(s)·n, n standard normal, so that its covariance is R·diag(s²)·Rᵀ.
template <class T>
DSASRGS_HD Vec3<T> child_offset(Vec3<T> scale, Quat<T> rotation, Vec3<T> normal) {
  return rotation_matrix(rotation) * Vec3<T>{scale.x * normal.x, scale.y * normal.y, scale.z * normal.z};
}

struct ChildPlacement {
  std::uint64_t seed, step;
  float split_shrink, root_spread;
  ScaleBounds bounds;
};

inline ChildPlacement child_placement(const DensityControl& control, ScaleBounds bounds) {
  return {control.seed, control.step, control.split_shrink, std::sqrt(control.split_spread), bounds};
}

/// Moves and shrinks one split child; its arrays hold its parent's values.
DSASRGS_HD inline void place_child(const ChildPlacement& c, std::uint32_t parent, std::uint8_t child,
                                   float* position_mm, float* raw_scale, const float* rotation) {
  const Vec3f scale =
      bounded_scale<float>({raw_scale[0], raw_scale[1], raw_scale[2]}, c.bounds.min_mm, c.bounds.max_mm);
  const std::uint64_t parent_and_child = (static_cast<std::uint64_t>(parent) << 8) | child;
  const Vec3f normal = random_normal3(c.seed, RandomStream::split_children, c.step, parent_and_child);
  const Vec3f offset =
      child_offset<float>(scale * c.root_spread, {rotation[0], rotation[1], rotation[2], rotation[3]}, normal);
  const Vec3f shrunk = scale / c.split_shrink;
  position_mm[0] += offset.x;
  position_mm[1] += offset.y;
  position_mm[2] += offset.z;
  raw_scale[0] = raw_scale_from(shrunk.x, c.bounds.min_mm, c.bounds.max_mm);
  raw_scale[1] = raw_scale_from(shrunk.y, c.bounds.min_mm, c.bounds.max_mm);
  raw_scale[2] = raw_scale_from(shrunk.z, c.bounds.min_mm, c.bounds.max_mm);
}

/// softplus⁻¹(½·softplus(raw)). Far below 0 softplus is exp, whose half is a shift; there softplus⁻¹ would lose its
/// argument to underflow.
template <class T>
DSASRGS_HD T halved_softplus(T raw) {
  using std::expm1;
  using std::log;
  if (raw < T(-15)) return raw - T(0.693147180559945309);
  const T half = softplus(raw) / T(2);
  return half + log(-expm1(-half));
}

}  // namespace dsasrgs
