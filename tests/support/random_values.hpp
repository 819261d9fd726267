// SPDX-License-Identifier: Apache-2.0
#pragma once
// Seeded test data.

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace dsasrgs::test {

/// n values uniform in [low, high), always the same for a seed.
template <class T = float>
std::vector<T> random_values(std::size_t n, T low, T high, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> uniform(static_cast<double>(low), static_cast<double>(high));
  std::vector<T> values(n);
  for (T& v : values) v = static_cast<T>(uniform(generator));
  return values;
}

}  // namespace dsasrgs::test
