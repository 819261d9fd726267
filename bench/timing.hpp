// SPDX-License-Identifier: Apache-2.0
#pragma once
// How long work takes: by events on CUDA, by the clock on the CPU.

#include <functional>
#include <memory>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/context.hpp"

namespace dsasrgs::bench {

/// Seconds of `calls` calls of body in a row.
double seconds_of(Context&, int calls, const std::function<void()>& body);

namespace cuda {

double seconds_between_events(Context&, int calls, const std::function<void()>& body);

/// What a body launches, recorded once as a graph: run() submits it without the host's time for each launch.
class Recording {
 public:
  /// Null for a body that allocates or waits, which cannot be recorded; the body must have run before, so that its
  /// buffers are there.
  static std::unique_ptr<Recording> of(Context&, const std::function<void()>& body);
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  ~Recording();
  void run(Context&) const;

 private:
  explicit Recording(void* executable) : executable_(executable) {}
  void* executable_;
};

/// Median seconds of one body() that finds none of its data in the L2 cache: `flushing` (larger than the cache) is
/// overwritten before each of `calls`.
double cold_seconds(Context&, int calls, Buffer<float>& flushing, const std::function<void()>& body);

}  // namespace cuda
}  // namespace dsasrgs::bench
