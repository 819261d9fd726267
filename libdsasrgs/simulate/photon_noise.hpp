// SPDX-License-Identifier: Apache-2.0
#pragma once
// Poisson numbers from counter-based random words, so that a pixel's noise depends only on the seed and the pixel.

#include <cmath>
#include <cstdint>
#include <numbers>

#include "common/random.hpp"

namespace dsasrgs {

/// ln k! for whole k ≥ 0: exact products below 10, Stirling's series above (error below 1e-9).
inline double log_factorial(double k) {
  if (k < 10) {
    double product = 1;
    for (int i = 2; i <= static_cast<int>(k); ++i) product *= i;
    return std::log(product);
  }
  const double n = k + 1, inverse = 1 / n;
  return (n - 0.5) * std::log(n) - n + 0.5 * std::log(2 * std::numbers::pi) +
         inverse * (1.0 / 12 - inverse * inverse * (1.0 / 360 - inverse * inverse / 1260));
}

/// A Poisson number of the given mean for (seed, key, run). Small means by inversion of the distribution, means of 10
/// and more by transformed rejection with squeeze (Hörmann, Insurance: Mathematics and Economics 12, 1993, algorithm
/// PTRS).
inline double poisson_sample(double mean, std::uint64_t seed, std::uint64_t key, std::uint32_t run) {
  std::uint64_t draw = static_cast<std::uint64_t>(run) << 32;
  const auto pair = [&](double& u, double& v) {
    const auto words = random_words(seed, RandomStream::photon_noise, key, draw++);
    const auto uniform = [](std::uint32_t high, std::uint32_t low) {  // 53 bits, never 0 or 1
      return (static_cast<double>((static_cast<std::uint64_t>(high) << 20) | (low >> 12)) + 0.5) * 0x1p-52;
    };
    u = uniform(words[0], words[1]);
    v = uniform(words[2], words[3]);
  };
  if (!(mean > 0)) return 0;
  double u, v;
  if (mean < 10) {
    pair(u, v);
    double k = 0, probability = std::exp(-mean), cumulative = probability;
    while (u > cumulative && probability > 0) {
      k += 1;
      probability *= mean / k;
      cumulative += probability;
    }
    return k;
  }
  const double b = 0.931 + 2.53 * std::sqrt(mean), a = -0.059 + 0.02483 * b;
  const double log_inverse_alpha = std::log(1.1239 + 1.1328 / (b - 3.4)), v_r = 0.9277 - 3.6224 / (b - 2);
  const double log_mean = std::log(mean);
  for (;;) {
    pair(u, v);
    u -= 0.5;
    const double us = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= v_r) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (std::log(v) + log_inverse_alpha - std::log(a / (us * us) + b) <= k * log_mean - mean - log_factorial(k))
      return k;
  }
}

}  // namespace dsasrgs
