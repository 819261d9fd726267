#pragma once
// The gamma-variate bolus and its convolution with an injection of constant rate, in closed form: a gamma variate of
// shape a and width b is a gamma density of a + 1, so a box of duration T turns it into a difference of regularised
// incomplete gamma functions.

#include <cmath>
#include <limits>

namespace dsasrgs {

/// Regularised lower incomplete gamma function P(s, x), s > 0: power series (DLMF 8.11.4) below s + 1, continued
/// fraction (DLMF 8.9.2, evaluated by Lentz's method) above.
inline double regularized_gamma_p(double s, double x) {
  if (!(x > 0)) return 0;
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  const double front = std::exp(s * std::log(x) - x) / std::tgamma(s);
  if (x < s + 1) {
    double term = 1 / s, sum = term;
    for (double k = s + 1; term > sum * kEpsilon; k += 1) {
      term *= x / k;
      sum += term;
    }
    return front * sum;
  }
  double b = x + 1 - s, c = 1e300, d = 1 / b, fraction = d;
  for (int i = 1; i < 500; ++i) {
    const double a = i * (s - i);
    b += 2;
    d = 1 / (b + a * d);
    c = b + a / c;
    const double step = c * d;
    fraction *= step;
    if (std::abs(step - 1) < kEpsilon) break;
  }
  return 1 - front * fraction;
}

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
