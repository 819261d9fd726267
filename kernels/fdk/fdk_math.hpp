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

/// Sample n of the band-limited ramp filter for samples one unit apart (Kak and Slaney 1988, eq. 3.61).
template <class T>
DSASRGS_HD T ramp_kernel(int n) {
  constexpr T pi = std::numbers::pi_v<T>;
  if (n == 0) return T(0.25);
  return n % 2 == 0 ? T(0) : T(-1) / (pi * pi * T(n) * T(n));
}

/// Hann window at a frequency given as a fraction of Nyquist, zero from `cutoff` on.
template <class T>
DSASRGS_HD T hann_window(T frequency, T cutoff) {
  using std::cos;
  if (frequency >= cutoff) return T(0);
  return T(0.5) * (T(1) + cos(std::numbers::pi_v<T> * frequency / cutoff));
}

}  // namespace dsasrgs
