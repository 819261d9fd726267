// SPDX-License-Identifier: Apache-2.0
#pragma once
// The gamma-variate bolus and its convolution with an injection of constant rate, in closed form: a gamma variate of
// shape a and width b is a gamma density of a + 1, so a box of duration T turns it into a difference of regularised
// incomplete gamma functions.

#include <cmath>
#include <unsupported/Eigen/SpecialFunctions>

namespace dsasrgs {

/// Regularised lower incomplete gamma function P(s, x), s > 0; 0 for x ≤ 0.
inline double regularized_gamma_p(double s, double x) { return x > 0 ? Eigen::numext::igamma(s, x) : 0; }

/// Bolus of unit area x seconds after its arrival: (x/b)^a e^(−x/b) / (b Γ(a+1)) averaged over the last `injection_s`
/// seconds.
inline double bolus_density(double x_s, double shape, double width_s, double injection_s) {
  if (!(x_s > 0)) return 0;
  // A difference of P loses digits for a short box; the density at its middle is then right to (T/b)²/24.
  if (injection_s < 1e-3 * width_s) {
    const double z = (x_s - injection_s / 2) / width_s;
    return z > 0 ? std::exp(shape * std::log(z) - z) / (std::tgamma(shape + 1) * width_s) : 0;
  }
  return (regularized_gamma_p(shape + 1, x_s / width_s) -
          regularized_gamma_p(shape + 1, (x_s - injection_s) / width_s)) /
         injection_s;
}

/// Seconds from arrival to the peak of bolus_density: where the gamma variate has the same value T earlier,
/// T / (1 − e^(−T/(a b))); a·b without injection.
inline double bolus_peak_s(double shape, double width_s, double injection_s) {
  return injection_s > 0 ? -injection_s / std::expm1(-injection_s / (shape * width_s)) : shape * width_s;
}

}  // namespace dsasrgs
