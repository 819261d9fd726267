#pragma once
// The formulas of one element.

#include "dsasrgs/math.hpp"
#include "elementwise/elementwise.hpp"

namespace dsasrgs {

template <class T>
DSASRGS_HD T affine(T gain, T offset, T x) {
  return gain * x + offset;
}

/// The terms of one element, added to the sums.
DSASRGS_HD inline void add_terms(float a, float b, double& sum, double& product) {
  sum += static_cast<double>(a);
  product += static_cast<double>(a) * static_cast<double>(b);
}

}  // namespace dsasrgs
