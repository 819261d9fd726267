// SPDX-License-Identifier: Apache-2.0
#pragma once
// Per-Gaussian formulas of the attenuation models and of the table's smoothness, and their VJPs.

#include <cmath>

#include "attenuation/attenuation.hpp"
#include "common/gaussian_math.hpp"
#include "common/unit_box.hpp"

namespace dsasrgs {

template <class T>
DSASRGS_HD T softplus_density(T scale, T raw) {
  return scale * softplus(raw);
}
template <class T>
DSASRGS_HD T softplus_density_vjp(T scale, T raw, T grad_density) {
  return grad_density * scale * sigmoid(raw);
}

/// Where a time lies in the table: between entries `entry` and `entry` + 1.
template <class T>
struct TableSegment {
  int entry;
  T fraction;
};
/// t is clamped to [0,1]; NaN becomes 0.
template <class T>
DSASRGS_HD TableSegment<T> table_segment(T t) {
  const T position = (t > T(0) ? (t < T(1) ? t : T(1)) : T(0)) * T(kOffsetTableEntries - 1);
  const int entry = position < T(kOffsetTableEntries - 2) ? static_cast<int>(position) : kOffsetTableEntries - 2;
  return {entry, position - T(entry)};
}

/// base + table(t), `coefficients` = base, table[0…4] of one Gaussian.
template <class T>
DSASRGS_HD T offset_table_raw(const TableSegment<T>& at, const T* coefficients) {
  const T* table = coefficients + 1;
  return coefficients[0] + ((T(1) - at.fraction) * table[at.entry] + at.fraction * table[at.entry + 1]);
}

template <class T>
DSASRGS_HD T offset_table_density(T scale, const TableSegment<T>& at, const T* coefficients) {
  return scale * softplus(offset_table_raw(at, coefficients));
}
/// Sets the gradient of one Gaussian's coefficients.
template <class T>
DSASRGS_HD void offset_table_density_vjp(T scale, const TableSegment<T>& at, const T* coefficients, T grad_density,
                                         T* grad_coefficients) {
  const T grad_raw = grad_density * scale * sigmoid(offset_table_raw(at, coefficients));
  grad_coefficients[0] = grad_raw;
  for (int j = 0; j < kOffsetTableEntries; ++j)
    grad_coefficients[1 + j] = j == at.entry       ? grad_raw * (T(1) - at.fraction)
                               : j == at.entry + 1 ? grad_raw * at.fraction
                                                   : T(0);
}

/// Σ_j |table_j − table_{j−1}| of one Gaussian.
template <class T>
DSASRGS_HD T table_variation(const T* coefficients) {
  using std::abs;
  T sum = T(0);
  for (int j = 1; j < kOffsetTableEntries; ++j) sum += abs(coefficients[1 + j] - coefficients[j]);
  return sum;
}
/// Its gradient times grad, added to that of one Gaussian's coefficients. The sign of 0 is 0.
template <class T>
DSASRGS_HD void table_variation_vjp(const T* coefficients, T grad, T* grad_coefficients) {
  for (int j = 1; j < kOffsetTableEntries; ++j) {
    const T step = coefficients[1 + j] - coefficients[j];
    const T g = step > T(0) ? grad : (step < T(0) ? -grad : T(0));
    grad_coefficients[1 + j] += g;
    grad_coefficients[j] -= g;
  }
}

}  // namespace dsasrgs
