// SPDX-License-Identifier: Apache-2.0
#pragma once
// One Adam update of one entry. The CPU body is the vectorised form of the same text.

#include <cmath>

#include "adam/adam.hpp"
#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// Smallest normal float. Moments below it are set to zero: subnormal numbers cost an assist of ≈ 150 cycles each,
/// never decay (0.9 × the smallest one rounds to itself), and √v loses its digits while m keeps them.
inline constexpr float kAdamSmallestMoment = 1.17549435e-38f;

/// What an update needs of its AdamStep; the bias corrections are folded in.
template <class T>
struct AdamCoefficients {
  T beta1, one_minus_beta1, beta2, one_minus_beta2;
  T step_size;      ///< lr / (1 − β1^t)
  T inv_sqrt_bias;  ///< 1 / √(1 − β2^t)
  T epsilon, weight_decay;
};

template <class T>
AdamCoefficients<T> adam_coefficients(const AdamStep& s) {
  const double beta1 = s.beta1, beta2 = s.beta2, t = static_cast<double>(s.step);
  return {static_cast<T>(beta1),
          static_cast<T>(1 - beta1),
          static_cast<T>(beta2),
          static_cast<T>(1 - beta2),
          static_cast<T>(static_cast<double>(s.learning_rate) / (1 - std::pow(beta1, t))),
          static_cast<T>(1 / std::sqrt(1 - std::pow(beta2, t))),
          static_cast<T>(s.epsilon),
          static_cast<T>(s.weight_decay)};
}

/// Updates parameter p and moments m and v with gradient g (before weight decay).
template <class T>
DSASRGS_HD void adam_entry(const AdamCoefficients<T>& c, T g, T& p, T& m, T& v) {
  using std::abs;
  using std::sqrt;
  g += c.weight_decay * p;
  m = c.beta1 * m + c.one_minus_beta1 * g;
  v = c.beta2 * v + c.one_minus_beta2 * g * g;
  if (v < T(kAdamSmallestMoment)) {
    m = v = T(0);
    return;
  }
  if (abs(m) < T(kAdamSmallestMoment)) m = T(0);
  p -= c.step_size * m / (sqrt(v) * c.inv_sqrt_bias + c.epsilon);
}

}  // namespace dsasrgs
