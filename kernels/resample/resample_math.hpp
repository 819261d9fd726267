// SPDX-License-Identifier: Apache-2.0
#pragma once
// Interpolation weights of upsampling by a whole factor.

#include "dsasrgs/math.hpp"

namespace dsasrgs {

/// Cubic convolution kernel (Keys 1981, eq. 15 with a = −0.5), zero outside |x| < 2.
template <class T>
DSASRGS_HD T keys_cubic(T x) {
  constexpr T a = T(-0.5);
  const T t = x < T(0) ? -x : x;
  if (t <= T(1)) return ((a + T(2)) * t - (a + T(3))) * t * t + T(1);
  if (t < T(2)) return ((a * t - T(5) * a) * t + T(8) * a) * t - T(4) * a;
  return T(0);
}

/// Where output pixels of one phase (index mod scale) lie between source pixels, half-pixel centres.
template <class T>
struct CubicPhase {
  int first{};  ///< first source pixel of output pixel i·scale + phase, minus i
  T weight[4]{};
};

template <class T>
DSASRGS_HD CubicPhase<T> cubic_phase(int phase, int scale) {
  // Centre of the output pixel in source pixels, relative to the centre of source pixel i: within (−½, ½).
  const T offset = (T(phase) + T(0.5)) / T(scale) - T(0.5);
  CubicPhase<T> p;
  const int below = offset < T(0) ? -1 : 0;
  p.first = below - 1;
  for (int k = 0; k < 4; ++k) p.weight[k] = keys_cubic(offset - T(p.first + k));
  return p;
}

}  // namespace dsasrgs
