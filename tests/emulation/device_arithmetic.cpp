// SPDX-License-Identifier: Apache-2.0
// What kernels call for expf and its like where DSASRGS_DEVICE_ARITHMETIC asks for a device's (cuda_runtime.h): off by
// up to two units in the last place, as the CUDA Programming Guide grants them, always alike for an argument.

#include <bit>
#include <cmath>
#include <cstdint>

namespace {

/// v, −2 to 2 units in the last place off by the bits of x; finite stays finite, and 0 and 1 stay exact.
float off(float x, float v) {
  if (!std::isfinite(v) || v == 0 || v == 1) return v;
  std::uint32_t hash = std::bit_cast<std::uint32_t>(x) * 0x9e3779b9u;
  hash = (hash ^ (hash >> 15)) * 0x85ebca6bu;
  const int steps = static_cast<int>((hash >> 16) % 5) - 2;
  for (int i = 0; i < std::abs(steps); ++i) v = std::nextafter(v, steps > 0 ? HUGE_VALF : -HUGE_VALF);
  return std::isfinite(v) ? v : std::nextafter(v, 0.0f);
}

}  // namespace

extern "C" {
float inexact_expf(float x) { return off(x, std::exp(x)); }
float inexact_exp2f(float x) { return off(x, std::exp2(x)); }
float inexact_expm1f(float x) { return off(x, std::expm1(x)); }
float inexact_logf(float x) { return off(x, std::log(x)); }
float inexact_log1pf(float x) { return off(x, std::log1p(x)); }
float inexact_sinf(float x) { return off(x, std::sin(x)); }
float inexact_cosf(float x) { return off(x, std::cos(x)); }
}
