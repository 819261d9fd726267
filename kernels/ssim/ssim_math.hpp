// SPDX-License-Identifier: Apache-2.0
#pragma once
// Per-pixel formulas of the image loss: SSIM from windowed moments, its derivatives, and the gradient of L1 + SSIM.
// Forced inline with arguments by reference: what it takes for g++ 12 to vectorise the row loops that call them.

#include <cmath>

#include "dsasrgs/math.hpp"
#include "ssim/ssim.hpp"

namespace dsasrgs {

inline constexpr int kSsimTaps = 11, kSsimRadius = kSsimTaps / 2;

/// Gaussian window of σ = 1.5 px along one side, normalised to sum 1.
struct SsimWindow {
  float tap[kSsimTaps];
};
inline SsimWindow ssim_window() {
  constexpr double kSigma_px = 1.5;
  double taps[kSsimTaps], sum = 0;
  for (int k = 0; k < kSsimTaps; ++k)
    sum += taps[k] = std::exp(-0.5 * (k - kSsimRadius) * (k - kSsimRadius) / (kSigma_px * kSigma_px));
  SsimWindow window{};
  for (int k = 0; k < kSsimTaps; ++k) window.tap[k] = static_cast<float>(taps[k] / sum);
  return window;
}

/// What keeps SSIM finite where images are dark and flat (Wang et al. 2004).
struct SsimConstants {
  float c1, c2;
};
inline SsimConstants ssim_constants(const ImageLossShape& shape) {
  const float range = shape.ssim_range * shape.unit, k1 = 0.01f * range, k2 = 0.03f * range;
  return {k1 * k1, k2 * k2};
}

/// dL/d|x − y| and dL/dSSIM of one valid pixel.
struct ImageLossWeights {
  float l1, ssim;
};
inline ImageLossWeights image_loss_weights(const ImageLossShape& shape, double num_valid, float grad_loss) {
  const double per_pixel = static_cast<double>(grad_loss) / num_valid;
  const double weight = static_cast<double>(shape.ssim_weight);
  const double unit = static_cast<double>(shape.unit);
  return {static_cast<float>((1 - weight) * per_pixel / unit), static_cast<float>(-weight * per_pixel)};
}

/// Sums over the valid pixels: of |x − y|, of SSIM and of x.
inline constexpr int kImageLossSums = 3;
/// The loss from these. `unit` is num_valid · L.
DSASRGS_HD inline ImageLossValue image_loss_from_sums(const double (&sum)[kImageLossSums], double num_valid,
                                                      double unit, float ssim_weight) {
  const double l1 = sum[0] / unit, ssim = sum[1] / num_valid, weight = static_cast<double>(ssim_weight);
  return {(1 - weight) * l1 + weight * (1 - ssim), l1, ssim, sum[2] / unit};
}

/// Windowed moments at a pixel. SSIM needs the two second moments only as a sum.
template <class T>
struct SsimMoments {
  T mean_x{}, mean_y{};
  T square{};  ///< E[x²] + E[y²]
  T cross{};   ///< E[xy]
};

/// Derivatives of SSIM with respect to the moments that depend on x, each as if it were free.
template <class T>
struct SsimDerivative {
  T mean_x{};
  T square{};
  T cross{};
};

/// SSIM at a pixel and what its derivatives share.
template <class T>
struct SsimTerms {
  T luminance_numerator{}, structure_numerator{};
  T luminance_denominator{}, structure_denominator{};
  T value{};
};

/// SSIM = (2μxμy + C1)(2σxy + C2) / ((μx² + μy² + C1)(σx² + σy² + C2)) (Wang et al. 2004).
template <class T>
[[gnu::always_inline]] DSASRGS_HD inline SsimTerms<T> ssim_terms(const SsimMoments<T>& m, T c1, T c2) {
  const T mean_square = m.mean_x * m.mean_x + m.mean_y * m.mean_y;
  const T mean_product = m.mean_x * m.mean_y;
  // Never negative (Cauchy–Schwarz; padding only removes weight), except by rounding.
  const T variance = m.square - mean_square;
  SsimTerms<T> t;
  t.luminance_numerator = T(2) * mean_product + c1;
  t.structure_numerator = T(2) * (m.cross - mean_product) + c2;
  t.luminance_denominator = mean_square + c1;
  t.structure_denominator = (variance > T(0) ? variance : T(0)) + c2;
  t.value = (t.luminance_numerator * t.structure_numerator) / (t.luminance_denominator * t.structure_denominator);
  return t;
}

/// The derivative of ssim_terms(m).value.
template <class T>
[[gnu::always_inline]] DSASRGS_HD inline SsimDerivative<T> ssim_derivative(const SsimMoments<T>& m,
                                                                           const SsimTerms<T>& t) {
  const T inverse = T(1) / (t.luminance_denominator * t.structure_denominator);
  const T inverse_luminance = t.structure_denominator * inverse;
  const T inverse_structure = t.luminance_denominator * inverse;
  SsimDerivative<T> d;
  d.mean_x = T(2) * (m.mean_y * (t.structure_numerator - t.luminance_numerator) * inverse +
                     m.mean_x * t.value * (inverse_structure - inverse_luminance));
  d.square = -t.value * inverse_structure;
  d.cross = T(2) * t.luminance_numerator * inverse;
  return d;
}

/// dL/dx at a pixel, from the derivative maps after convolution with the (symmetric) window: x enters E[x], E[x²] and
/// E[xy] of every pixel whose window covers it. weight_l1 and weight_ssim are dL/d|x − y| and dL/dSSIM of one pixel.
template <class T>
[[gnu::always_inline]] DSASRGS_HD inline T image_loss_gradient(T x, T y, const SsimDerivative<T>& windowed, T weight_l1,
                                                               T weight_ssim) {
  const T sign = (x > y ? T(1) : T(0)) - (x < y ? T(1) : T(0));
  return weight_l1 * sign + weight_ssim * (windowed.mean_x + T(2) * x * windowed.square + y * windowed.cross);
}

}  // namespace dsasrgs
