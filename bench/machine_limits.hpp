// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a machine reaches at best, measured here and now.

#include <cstddef>

#include "dsasrgs/context.hpp"

namespace dsasrgs::bench {

struct MachineLimits {
  double copy_bytes_per_s = 0;  ///< large copy, bytes read plus bytes written
  double fma_flops_per_s = 0;   ///< independent fp32 FMAs in registers, two each
  // CUDA only: additions to global fp32 memory whose result nobody reads.
  double adds_apart_per_s = 0;     ///< to entries of 64 MB in no order
  double adds_together_per_s = 0;  ///< to one entry
};
/// Measured at the first call for each machine, then remembered.
const MachineLimits& machine_limits(Context&);

namespace cuda {
/// machine_limits_cuda.cu.
void copy(Context&, const float* from, float* to, std::size_t n);
/// `rounds` FMAs in each of 8 chains per thread of the whole device; returns the flops done.
double fma(Context&, float* out, int rounds);
/// Return the additions made.
double add_apart(Context&, float* to, std::size_t n);
double add_together(Context&, float* to);
}  // namespace cuda

}  // namespace dsasrgs::bench
