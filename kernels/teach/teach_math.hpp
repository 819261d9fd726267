// SPDX-License-Identifier: Apache-2.0
#pragma once
// Per-pixel formulas of the texture richness and of the teaching reference, and the VJP of the latter.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "common/vector_exp.hpp"
#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// An image whose edge pixels are repeated beyond its border.
template <class T>
struct EdgeRepeated {
  const T* pixels;
  int width, height;

  DSASRGS_HD T operator()(int row, int column) const {
    row = row < 0 ? 0 : (row < height ? row : height - 1);
    column = column < 0 ? 0 : (column < width ? column : width - 1);
    return pixels[static_cast<std::size_t>(row) * static_cast<std::size_t>(width) + static_cast<std::size_t>(column)];
  }
};

/// An image that is only read inside.
template <class T>
struct Interior {
  const T* pixels;
  int width;

  DSASRGS_HD T operator()(int row, int column) const {
    return pixels[static_cast<std::size_t>(row) * static_cast<std::size_t>(width) + static_cast<std::size_t>(column)];
  }
};

/// Length of the 3 × 3 Sobel gradient, per pixel.
template <template <class> class Image, class T>
DSASRGS_HD T sobel_magnitude(const Image<T>& image, int row, int column) {
  using std::sqrt;
  const T top_left = image(row - 1, column - 1), top = image(row - 1, column), top_right = image(row - 1, column + 1);
  const T left = image(row, column - 1), right = image(row, column + 1);
  const T low_left = image(row + 1, column - 1), low = image(row + 1, column), low_right = image(row + 1, column + 1);
  const T gx = ((top_right - top_left) + T(2) * (right - left) + (low_right - low_left)) / T(8);
  const T gy = ((low_left - top_left) + T(2) * (low - top) + (low_right - top_right)) / T(8);
  return sqrt(gx * gx + gy * gy);
}

/// 5 × 5 binomial window.
template <template <class> class Image, class T>
DSASRGS_HD T binomial_smooth(const Image<T>& image, int row, int column) {
  const auto weigh = [](T a, T b, T c, T d, T e) { return (a + e) + T(4) * (b + d) + T(6) * c; };
  T along[5];
  for (int r = 0; r < 5; ++r)
    along[r] = weigh(image(row + r - 2, column - 2), image(row + r - 2, column - 1), image(row + r - 2, column),
                     image(row + r - 2, column + 1), image(row + r - 2, column + 2));
  return weigh(along[0], along[1], along[2], along[3], along[4]) / T(256);
}

/// Index of the 99th percentile of n ≥ 1 sorted values: ⌈0.99 n⌉ − 1.
constexpr std::size_t percentile_99_index(std::size_t n) { return n - n / 100 - 1; }

template <class T>
DSASRGS_HD T richness_of(T magnitude, T percentile) {
  if (!(percentile > T(0))) return magnitude > T(0) ? T(1) : magnitude;
  const T ratio = magnitude / percentile;
  return ratio > T(1) ? T(1) : ratio;
}

/// α, β or the gradients with respect to them.
template <class T>
struct ConfidenceWeights {
  T similarity{}, richness{};
};

/// exp(−|x|), for float in arithmetic that g++ vectorises: to 1e-7, and never below exp(−86) = 4.5e-38.
template <class T>
[[gnu::always_inline]] DSASRGS_HD inline T exp_minus_abs(T x) {
  if constexpr (std::is_same_v<T, float>) {
    constexpr std::uint32_t kMostBits = std::bit_cast<std::uint32_t>(86.0f);
    // Clamped by its bits: g++ turns a clamp of floats into a branch around all this.
    const float magnitude = std::bit_cast<float>(std::min(std::bit_cast<std::uint32_t>(std::abs(x)), kMostBits));
    return exp_within_range(-magnitude) + (x - x);  // x − x: what is not finite gives NaN
  } else {
    return exp_within_range(x < T(0) ? x : -x);
  }
}

/// eq. 6; S and T with their centres taken off.
template <class T>
[[gnu::always_inline]] DSASRGS_HD inline T confidence_of(const ConfidenceWeights<T>& w, T similarity, T richness) {
  const T x = w.similarity * similarity + w.richness * richness;
  const T e = exp_minus_abs(x);
  return (x < T(0) ? e : T(1)) / (T(1) + e);
}

/// eq. 7.
template <class T>
[[gnu::always_inline]] DSASRGS_HD inline T teach_of(T confidence, T super_resolved, T upsampled) {
  return confidence * super_resolved + (T(1) - confidence) * upsampled;
}

/// dL/dα and dL/dβ of one pixel, through eqs. 7 and 6. C(1−C) = e/(1+e)², e = exp(−|x|), keeps its digits where C is
/// near 1.
template <class T>
[[gnu::always_inline]] DSASRGS_HD inline ConfidenceWeights<T> teach_vjp(const ConfidenceWeights<T>& w, T similarity,
                                                                        T richness, T super_resolved, T upsampled,
                                                                        T grad_teach) {
  const T e = exp_minus_abs(w.similarity * similarity + w.richness * richness), one_plus_e = T(1) + e;
  const T grad_x = grad_teach * (super_resolved - upsampled) * (e / (one_plus_e * one_plus_e));
  return {grad_x * similarity, grad_x * richness};
}

}  // namespace dsasrgs
