// SPDX-License-Identifier: Apache-2.0
#pragma once
// Subnormal numbers are treated as zero inside CPU loops: where weights or gradients decay towards zero they would
// otherwise slow a multiply-add down a hundredfold, and nothing here depends on values below 1e-38.

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace dsasrgs {

/// Sets flush-to-zero and denormals-are-zero on this thread for the guard's lifetime (x86; elsewhere it does nothing).
class SubnormalsAreZero {
 public:
#if defined(__SSE2__)
  SubnormalsAreZero() : before_(_mm_getcsr()) { _mm_setcsr(before_ | kFlushToZero | kDenormalsAreZero); }
  ~SubnormalsAreZero() { _mm_setcsr(before_); }
#else
  SubnormalsAreZero() = default;
#endif
  SubnormalsAreZero(const SubnormalsAreZero&) = delete;
  SubnormalsAreZero& operator=(const SubnormalsAreZero&) = delete;

 private:
#if defined(__SSE2__)
  static constexpr unsigned kFlushToZero = 0x8000, kDenormalsAreZero = 0x0040;
  unsigned before_;
#endif
};

}  // namespace dsasrgs
