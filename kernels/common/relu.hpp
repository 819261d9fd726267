// SPDX-License-Identifier: Apache-2.0
#pragma once
// The rectifier of the networks.

#include "dsasrgs/math.hpp"

namespace dsasrgs {

template <class T>
DSASRGS_HD T relu(T z) {
  return z < T(0) ? T(0) : z;  // NaN stays NaN
}
/// Its derivative at z times grad. z may be the rectifier's output, which is positive where its input is.
template <class T>
DSASRGS_HD T relu_vjp(T z, T grad) {
  return z > T(0) ? grad : T(0);
}

}  // namespace dsasrgs
