// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// The optimiser, spelled out.

#include <cstdint>
#include <span>

#include "common/waiting_gradient.hpp"

namespace dsasrgs {

/// `dense` updates every entry. `sparse` leaves entries whose gradient is exactly zero as they are (value, moments and
/// decay), as for table entries no Gaussian touched.
enum class AdamMode { dense, sparse };

inline constexpr float kAdamEpsilon = 1e-15f;  // below every gradient that matters (3DGS's value)

struct AdamStep {
  float learning_rate = 1e-3f;
  float beta1 = 0.9f, beta2 = 0.999f, epsilon = kAdamEpsilon;
  float weight_decay = 0;  ///< coupled: g ← g + weight_decay·p
  std::int64_t step = 1;   ///< 1 for the first update; bias correction uses it
  AdamMode mode = AdamMode::dense;
};

struct AdamState {
  View<float> parameter;
  WaitingGradient gradient;
  View<float> first_moment, second_moment;  ///< all of the same size
};

/// One array with an update of its own.
struct AdamArray {
  AdamStep step;
  AdamState state;
};

/// Kingma & Ba 2015, Alg. 1: m ← β1 m + (1−β1) g, v ← β2 v + (1−β2) g², p ← p − lr · m̂ / (√v̂ + ε).
/// The gradient is set to zero as it is read. Deterministic; what an entry becomes does not depend on the arrays beside
/// its own. CUDA does them all in one launch (32 at a time).
///
/// Numbers too small for float: an entry whose new v is below the smallest normal float (1.2e-38; from rest, a gradient
/// below 3.4e-18 at β2 = 0.999) gets m = v = 0 and keeps its value, and a smaller |m| is set to zero. So √v always
/// keeps its digits, epsilon may be 0, and for β1² < β2 a step is bounded by
///   |Δp| ≤ lr · (1−β1) / √((1−β2)(1−β1²/β2)) · √(1−β2^t) / (1−β1^t), at most 7.3 lr at the default β.
/// Gradients beyond 1e19 overflow v to infinity and stop the entry; NaN stays NaN.
///
/// Throws InvalidArgument when sizes disagree, step < 1, a β is outside [0,1), epsilon is negative, or a gradient is in
/// fixed point on the CPU.
void adam_update(Context&, std::span<const AdamArray>);
inline void adam_update(Context& ctx, const AdamStep& step, const AdamState& state) {
  const AdamArray one{step, state};
  adam_update(ctx, std::span(&one, 1));
}

}  // namespace dsasrgs
