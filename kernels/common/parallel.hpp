// SPDX-License-Identifier: Apache-2.0
#pragma once
// CPU loops. Work is always cut the same way, whatever the thread count, so results are bit-identical for any number
// of threads as long as a body writes only what belongs to its own index.

#include <omp.h>

#include <cstddef>
#include <exception>
#include <mutex>

#include "common/subnormals.hpp"
#include "dsasrgs/context.hpp"

namespace dsasrgs {

/// Calls body(i) for i in [0, n), spread over ctx.threads(), with subnormal numbers as zero. The first exception is
/// rethrown on the caller's thread.
template <class Body>
void parallel_for(const Context& ctx, std::size_t n, Body&& body) {
  if (n == 0) return;
  const int threads = ctx.threads();
  if (threads == 1 || n == 1) {
    const SubnormalsAreZero guard;
    for (std::size_t i = 0; i < n; ++i) body(i);
    return;
  }
  std::exception_ptr failure;
  std::mutex failure_guard;
#pragma omp parallel num_threads(threads)
  {
    const SubnormalsAreZero guard;
#pragma omp for schedule(dynamic)
    for (std::size_t i = 0; i < n; ++i) {
      try {
        body(i);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(failure_guard);
        if (!failure) failure = std::current_exception();
      }
    }
  }
  if (failure) std::rethrow_exception(failure);
}

/// Calls body(begin, end) for consecutive blocks of at most `block` elements of [0, n).
template <class Body>
void parallel_blocks(const Context& ctx, std::size_t n, std::size_t block, Body&& body) {
  const std::size_t num_blocks = (n + block - 1) / block;
  parallel_for(ctx, num_blocks, [&](std::size_t b) {
    const std::size_t begin = b * block;
    body(begin, begin + block < n ? begin + block : n);
  });
}

}  // namespace dsasrgs
