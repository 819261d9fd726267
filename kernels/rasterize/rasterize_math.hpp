// SPDX-License-Identifier: Apache-2.0
#pragma once
// One Gaussian's footprint on the image and the gradients from its moments. The square is completed per row,
//   q = dᵀQd = xx·t² + h·dy²,  t = dx + (xy/xx)·dy,  h = (xx·yy − xy²)/xx,
// so q is a sum of squares: it cannot come out negative, and a pixel costs one subtraction and two products.

#include "common/gaussian_math.hpp"
#include "project/project.hpp"

namespace dsasrgs {

/// log₂ of exp(−½).
inline constexpr double kLog2ExpMinusHalf = -0.72134752044448170368;

/// The value of `exponent` at q = kCutoff²: a pixel counts iff its exponent is at least this. Multiplied in T, as the
/// pixels' exponents are, so that a pixel exactly on the cut-off counts.
template <class T>
inline constexpr T kExponentFloor = T(kLog2ExpMinusHalf) * (T(kCutoff) * T(kCutoff));

/// A Gaussian as 2^exponent: exponent = along_row·t² + across_rows·dy², both factors ≤ 0.
template <class T>
struct GaussianFootprint {
  T mean_x, mean_y, shear, along_row, across_rows;
};

/// b − xy²/a for slope = xy/a rounded, never negative. For a thin slanted Gaussian the difference is far smaller than
/// its terms, so what the division left over is put right: xy = slope·a + remainder, exactly.
template <class T>
DSASRGS_HD T schur_complement(T a, T xy, T b, T slope) {
  using std::fma;
  const T remainder = fma(-slope, a, xy);
  const T h = fma(-remainder, slope, fma(-slope, xy, b));
  return h > 0 ? h : T(0);
}

/// Requires conic_xx > 0.
template <class T>
DSASRGS_HD GaussianFootprint<T> gaussian_footprint(T mean_x, T mean_y, T conic_xx, T conic_xy, T conic_yy) {
  const T shear = conic_xy / conic_xx;
  return {mean_x, mean_y, shear, T(kLog2ExpMinusHalf) * conic_xx,
          T(kLog2ExpMinusHalf) * schur_complement(conic_xx, conic_xy, conic_yy, shear)};
}

/// What a row of pixels, whose centres are at `y`, shares.
template <class T>
struct FootprintRow {
  T dy, center_x, exponent;  ///< exponent = across_rows·dy², its largest value in the row; t = x − center_x
};
template <class T>
DSASRGS_HD FootprintRow<T> footprint_row(const GaussianFootprint<T>& k, T y) {
  const T dy = y - k.mean_y;
  return {dy, k.mean_x - k.shear * dy, k.across_rows * dy * dy};
}

/// Exponent of the pixel centred at x of a row. Its product is never fused with more than this, so that the forward and
/// the backward pass agree on which pixels count.
template <class T>
DSASRGS_HD T pixel_exponent(const GaussianFootprint<T>& k, const FootprintRow<T>& row, T x) {
  using std::fma;
  const T t = x - row.center_x;
  return fma(t * t, k.along_row, row.exponent);
}

/// The part of a box inside the image.
DSASRGS_HD inline PixelBox clipped_box(const PixelBox& box, int width_px, int height_px) {
  return {box.x_begin > 0 ? box.x_begin : 0, box.y_begin > 0 ? box.y_begin : 0,
          box.x_end < width_px ? box.x_end : width_px, box.y_end < height_px ? box.y_end : height_px};
}

/// The cut-off's ellipse by columns: at dx it covers dy = −slope·dx ± sqrt(height2 − falloff·dx²), and its highest and
/// lowest points are at top_dx and −top_dx.
template <class T>
struct FootprintOutline {
  T slope, height2, falloff, top_dx;
};
/// Requires conic_xx, conic_yy > 0.
template <class T>
DSASRGS_HD FootprintOutline<T> footprint_outline(T conic_xx, T conic_xy, T conic_yy) {
  using std::sqrt;
  constexpr T kCutoff2 = T(kCutoff) * T(kCutoff) + T(1e-4);  // slightly wider, so that rounding loses no pixel
  const T slope = conic_xy / conic_yy;
  const T across = schur_complement(conic_yy, conic_xy, conic_xx, slope);
  return {slope, kCutoff2 / conic_yy, across / conic_yy, -conic_xy * sqrt(kCutoff2 / (across * conic_xx * conic_yy))};
}
/// Interval of dy outside which no pixel of columns dx_first … dx_last can be inside the cut-off.
template <class T>
struct FootprintRows {
  T first, last;
};
template <class T>
DSASRGS_HD FootprintRows<T> footprint_rows(const FootprintOutline<T>& o, T dx_first, T dx_last) {
  using std::sqrt;
  const auto clamp = [&](T dx) { return dx < dx_first ? dx_first : (dx > dx_last ? dx_last : dx); };
  const auto half = [&](T dx) {
    const T square = o.height2 - o.falloff * dx * dx;
    return square > 0 ? sqrt(square) : T(0);
  };
  const T top = clamp(o.top_dx), bottom = clamp(-o.top_dx);
  const T last = half(top) - o.slope * top, first = -half(bottom) - o.slope * bottom;
  const T margin = T(0.01) + T(1e-5) * (last - first);
  return {first - margin, last + margin};
}

/// Moments of w = (dL/dpixel)·G over a Gaussian's pixels, d = pixel − mean.
template <class T>
struct FootprintMoments {
  T w, wx, wy, wxx, wxy, wyy;
};
template <class T>
struct FootprintGradient {
  T mean_x, mean_y, conic_xx, conic_xy, conic_yy, amplitude;
};
/// VJP of amplitude·exp(−½ dᵀQd) summed over the pixels.
template <class T>
DSASRGS_HD FootprintGradient<T> footprint_vjp(const FootprintMoments<T>& m, T conic_xx, T conic_xy, T conic_yy,
                                              T amplitude) {
  const T half = T(-0.5) * amplitude;
  return {amplitude * (conic_xx * m.wx + conic_xy * m.wy),
          amplitude * (conic_xy * m.wx + conic_yy * m.wy),
          half * m.wxx,
          T(2) * half * m.wxy,
          half * m.wyy,
          m.w};
}

}  // namespace dsasrgs
