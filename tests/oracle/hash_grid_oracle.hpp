// SPDX-License-Identifier: Apache-2.0
#pragma once
// Multi-resolution hash encoding in double, corner by corner: each corner's weight is a product of hats 1 − |p −
// vertex|.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dsasrgs::oracle {

struct HashGrid {
  int dimensions, levels, log2_entries;
  double base, growth;
  std::vector<double> table, features, grad_table, grad_position;  ///< features [levels·2][n], grad_position [n][3]

  /// Encodes n points and, given gradients of the features, adds to grad_table and sets grad_position.
  void run(const std::vector<double>& position, double time, const std::vector<double>& grad_features) {
    const std::size_t n = position.size() / 3;
    features.assign(std::size_t(2 * levels) * n, 0.0);
    grad_table.resize(table.size());
    grad_position.assign(3 * n, 0.0);
    std::size_t offset = 0;
    for (int l = 0; l < levels; ++l) {
      const double scale = double(float(base * std::pow(growth, l) - 1));
      const std::uint64_t side = std::uint64_t(std::ceil(scale)) + 1, most = std::uint64_t(1) << log2_entries;
      std::uint64_t full = 1;
      for (int d = 0; d < dimensions && full <= most; ++d) full *= side;
      const std::uint64_t entries = std::min((full + 7) / 8 * 8, most);
      for (std::size_t p = 0; p < n; ++p)
        for (int corner = 0; corner < 1 << dimensions; ++corner) {
          double hat[4], sign[4];
          std::uint64_t vertex[4];
          for (int d = 0; d < dimensions; ++d) {
            const double x = d < 3 ? position[3 * p + std::size_t(d)] : time;
            const double at = std::fmin(std::fmax(x, 0.0), 1.0) * scale + 0.5, v = std::floor(at) + (corner >> d & 1);
            hat[d] = 1 - std::fabs(at - v);
            sign[d] = x < 0 || x > 1 ? 0 : ((corner >> d & 1) ? scale : -scale);
            vertex[d] = std::uint64_t(std::fmin(v, double(side - 1)));
          }
          const std::uint64_t primes[4] = {1, 2654435761, 805459861, 3674653429};
          std::uint64_t row = 0, hash = 0;
          for (int d = dimensions - 1; d >= 0; --d) {
            row = row * side + vertex[d];
            hash ^= vertex[d] * primes[d];
          }
          const std::size_t entry = offset + std::size_t(full <= entries ? row : hash % entries);
          double weight = 1, value_dot_gradient = 0;
          for (int d = 0; d < dimensions; ++d) weight *= hat[d];
          for (std::size_t f = 0; f < 2; ++f) {
            const std::size_t at = (2 * std::size_t(l) + f) * n + p;
            features[at] += weight * table[2 * entry + f];
            grad_table[2 * entry + f] += weight * grad_features[at];
            value_dot_gradient += table[2 * entry + f] * grad_features[at];
          }
          for (int d = 0; d < 3; ++d) {
            double others = 1;
            for (int e = 0; e < dimensions; ++e) others *= e == d ? sign[d] : hat[e];
            grad_position[3 * p + std::size_t(d)] += others * value_dot_gradient;
          }
        }
      offset += std::size_t(entries);
    }
  }
};

}  // namespace dsasrgs::oracle
