// SPDX-License-Identifier: Apache-2.0
#pragma once
// Small dense matrices in double. None of Eigen's, whose allocator is not the same in the sanitizers' library.

#include <cstddef>
#include <vector>

namespace dsasrgs::test {

/// Rows of a matrix.
using Rows = std::vector<std::vector<double>>;

/// AᵀA.
inline Rows squared(const Rows& a) {
  const std::size_t n = a.front().size();
  Rows product(n, std::vector<double>(n));
  for (const std::vector<double>& row : a)
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) product[i][j] += row[i] * row[j];
  return product;
}

/// Of a positive definite matrix, by Gauss and Jordan.
inline Rows inverted(Rows a) {
  const std::size_t n = a.size();
  Rows inverse(n, std::vector<double>(n));
  for (std::size_t i = 0; i < n; ++i) inverse[i][i] = 1;
  for (std::size_t k = 0; k < n; ++k) {
    const double pivot = a[k][k];
    for (Rows* m : {&a, &inverse})
      for (double& x : (*m)[k]) x /= pivot;
    for (std::size_t i = 0; i < n; ++i) {
      if (i == k) continue;
      const double factor = a[i][k];
      for (std::size_t j = 0; j < n; ++j) {
        a[i][j] -= factor * a[k][j];
        inverse[i][j] -= factor * inverse[k][j];
      }
    }
  }
  return inverse;
}

}  // namespace dsasrgs::test
