// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the backward passes of the operators have in common.

#include "dsasrgs/gaussians.hpp"

namespace dsasrgs {

/// Gradients of a scalar loss with respect to a cloud's raw parameters and its densities.
struct GaussianGradient {
  View<float> position_mm;  ///< [N,3]
  View<float> raw_scale;    ///< [N,3]
  View<float> rotation;     ///< [N,4]
  View<float> density;      ///< [N], dL/dρ
};

/// Whether an operator's backward pass sets its gradient outputs or adds to them.
enum class GradientMode { overwrite, accumulate };

}  // namespace dsasrgs
