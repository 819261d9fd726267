// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a machine reaches at best, measured here and now.

#include <cstddef>
#include <functional>

#include "dsasrgs/context.hpp"

namespace dsasrgs::bench {

struct MachineLimits {
  double copy_bytes_per_s = 0;  ///< large copy, bytes read plus bytes written
  double fma_flops_per_s = 0;   ///< independent fp32 FMAs in registers, two each
};
/// Measured at the first call for each machine, then remembered.
const MachineLimits& machine_limits(Context&);

/// Seconds of `calls` calls of body in a row: by events on CUDA, by the clock on the CPU.
double seconds_of(Context&, int calls, const std::function<void()>& body);

namespace cuda {
/// machine_limits_cuda.cu.
void copy(Context&, const float* from, float* to, std::size_t n);
/// `rounds` FMAs in each of 8 chains per thread of the whole device; returns the flops done.
double fma(Context&, float* out, int rounds);
double seconds_between_events(Context&, int calls, const std::function<void()>& body);
}  // namespace cuda

}  // namespace dsasrgs::bench
