// SPDX-License-Identifier: Apache-2.0
#pragma once
// Random numbers of one patch or one simulated image.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "common/random.hpp"

namespace dsasrgs {

/// Numbers one after another that depend on nothing but what they are for.
class PatchNumbers {
 public:
  PatchNumbers(std::uint64_t seed, RandomStream stream, std::int64_t a, std::uint32_t b)
      : seed_(seed), stream_(stream), a_(static_cast<std::uint64_t>(a)), b_(std::uint64_t{b} << 32) {}

  /// Uniform in (0,1).
  double uniform() {
    if (used_ == 4) {
      four_ = random_uniform4(seed_, stream_, a_, b_++);
      used_ = 0;
    }
    return static_cast<double>(four_.u[used_++]);
  }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// The logarithm is uniform; where `low` is 0, the number itself.
  double log_uniform(double low, double high) {
    return low > 0 ? low * std::pow(high / low, uniform()) : uniform(low, high);
  }
  /// One of 0 … size − 1.
  std::size_t index(std::size_t size) {
    return std::min(static_cast<std::size_t>(uniform() * static_cast<double>(size)), size - 1);
  }
  /// An index, drawn in proportion to its share. At least one share must be positive.
  std::size_t index(std::span<const double> shares) {
    double sum = 0;
    for (const double share : shares) sum += share;
    const double drawn = uniform() * sum;
    double below = 0;
    std::size_t last = 0;
    for (std::size_t i = 0; i < shares.size(); ++i) {
      if (shares[i] <= 0) continue;
      last = i;
      below += shares[i];
      if (drawn < below) break;
    }
    return last;
  }

 private:
  std::uint64_t seed_;
  RandomStream stream_;
  std::uint64_t a_, b_;
  Uniform4 four_{};
  int used_ = 4;
};

}  // namespace dsasrgs
