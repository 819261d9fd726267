// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// The loss of a super-resolution network that says how far it may be off. The network gives two images, or the first
/// alone: the sharp image ŷ, and s, the natural logarithm of the error it expects of ŷ:
///
///   L = 1/n · Σ |ŷ − y| + κ/n · Σ (e·exp(−s′) + s′),   e = |ŷ − y| held fixed,   s′ = clamp(s, s_min, s_max)
///
/// The second sum is the negative logarithm of a Laplace distribution of scale exp(s) at an error e (Kendall & Gal
/// 2017, section 3, with L1 for L2): it is least where exp(s) is the expected |ŷ − y|. Because e is held fixed there, ŷ
/// is trained by L1 alone, as without s.
///
///   dL/dŷ = sign(ŷ − y) / n (0 where they are equal),   dL/ds = κ/n · (1 − e·exp(−s′))
///
/// The derivative by s is that of the clamped value passed on unchanged, so that a value beyond the bounds comes back.
/// Images are [N,channels,H,W], numbers have the caller's unit.

#include <cstddef>

#include "dsasrgs/buffer.hpp"

namespace dsasrgs {

/// s is taken as within these: errors of e⁻⁹ = 1.2e-4 to e² = 7.4.
inline constexpr float kLeastLogError = -9, kMostLogError = 2;

struct LabelLossShape {
  int images = 1;             ///< N
  std::size_t pixels = 0;     ///< H·W
  bool with_error = true;     ///< the prediction has two channels, ŷ and s; else ŷ alone
  float error_weight = 0.1f;  ///< κ
};

struct LabelLossSums {
  double l1 = 0;     ///< mean |ŷ − y|
  double error = 0;  ///< mean of e·exp(−s′) + s′; 0 without s
};

/// prediction and gradient [N, 2 or 1, H, W], target [N,1,H,W]. gradient is overwritten with dL/dprediction. Means in
/// double, added in a fixed order: the same bits from run to run and for any thread count. Waits for the result. Throws
/// InvalidArgument when sizes disagree or there is no pixel.
LabelLossSums label_loss(Context&, const LabelLossShape&, View<const float> prediction, View<const float> target,
                         View<float> gradient);

}  // namespace dsasrgs
