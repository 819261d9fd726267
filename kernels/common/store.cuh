// SPDX-License-Identifier: Apache-2.0
#pragma once
// How a gradient reaches its place.

#include "common/gradient.hpp"
#include "common/launch.cuh"

namespace dsasrgs::cuda {

/// Writes or adds one number. The sum is kept out of a fused multiply-add, so that adding to a gradient is exactly
/// that.
__device__ inline void store(float& destination, float value, GradientMode mode) {
  destination = mode == GradientMode::accumulate ? __fadd_rn(destination, value) : value;
}

}  // namespace dsasrgs::cuda
