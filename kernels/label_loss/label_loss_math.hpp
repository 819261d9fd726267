// SPDX-License-Identifier: Apache-2.0
#pragma once
// The loss of one pixel and its gradient.

#include <cmath>

#include "common/vector_exp.hpp"
#include "dsasrgs/math.hpp"
#include "label_loss/label_loss.hpp"

namespace dsasrgs {

/// What a pixel's gradients are multiplied by: 1/n and κ/n.
struct LabelLossWeights {
  float l1, error;
};

/// Both in double, so that n above 2²⁴ keeps its digits.
inline LabelLossWeights label_loss_weights(const LabelLossShape& shape, std::size_t n) {
  const double one = 1 / static_cast<double>(n);
  return {static_cast<float>(one), static_cast<float>(static_cast<double>(shape.error_weight) * one)};
}

/// d|d|/dd: the sign, 0 at 0. NaN stays NaN.
template <class T>
[[gnu::always_inline]] DSASRGS_HD inline T l1_derivative(T d) {
  return d > T(0) ? T(1) : (d < T(0) ? T(-1) : d);
}

/// s′. NaN stays NaN.
template <class T>
[[gnu::always_inline]] DSASRGS_HD inline T clamp_log_error(T s) {
  const T above = s < T(kLeastLogError) ? T(kLeastLogError) : s;
  return above > T(kMostLogError) ? T(kMostLogError) : above;
}

/// A pixel's term of the second sum and its derivative by s′.
template <class T>
struct LogErrorTerm {
  T value, derivative;
};
/// e·exp(−s′) + s′ and 1 − e·exp(−s′).
template <class T>
[[gnu::always_inline]] DSASRGS_HD inline LogErrorTerm<T> log_error_term(T e, T s) {
  const T clamped = clamp_log_error(s);
  const T ratio = e * (exp_within_range(-clamped) + (clamped - clamped));  // the difference: NaN stays NaN
  return {ratio + clamped, T(1) - ratio};
}

}  // namespace dsasrgs
