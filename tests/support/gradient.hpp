// SPDX-License-Identifier: Apache-2.0
#pragma once
// Central differences and the comparison of arrays, for gradient, parity and oracle tests.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace dsasrgs::test {

/// df/dx_i by central differences in double; `step` is relative to max(1, |x_i|).
inline std::vector<double> numeric_gradient(const std::function<double(const std::vector<double>&)>& f,
                                            std::vector<double> x, double step = 1e-5) {
  std::vector<double> g(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double x0 = x[i], h = step * std::max(1.0, std::abs(x0));
    x[i] = x0 + h;
    const double above = f(x);
    x[i] = x0 - h;
    const double below = f(x);
    x[i] = x0;
    g[i] = (above - below) / (2 * h);
  }
  return g;
}

/// ‖a − b‖₂ / ‖b‖₂ (‖a‖₂ when b is zero); NaN anywhere or different sizes give infinity, so a test on it fails.
template <class A, class B>
double relative_l2(const A& a, const B& b) {
  if (std::size(a) != std::size(b)) return INFINITY;
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < std::size(b); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    difference += (x - y) * (x - y);
    norm += y * y;
  }
  const double result = norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
  return std::isfinite(result) ? result : INFINITY;
}

/// Σ a_i b_i in double.
template <class A, class B>
double inner_product(const A& a, const B& b) {
  double sum = 0;
  for (std::size_t i = 0; i < std::min(std::size(a), std::size(b)); ++i)
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

/// max |a_i − b_i|; infinity on NaN or different sizes.
template <class A, class B>
double max_difference(const A& a, const B& b) {
  if (std::size(a) != std::size(b)) return INFINITY;
  double worst = 0;
  for (std::size_t i = 0; i < std::size(b); ++i) {
    const double d = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(d <= worst)) worst = std::isfinite(d) ? d : INFINITY;
  }
  return worst;
}

}  // namespace dsasrgs::test
