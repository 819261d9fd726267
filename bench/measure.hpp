// SPDX-License-Identifier: Apache-2.0
#pragma once
// How every benchmark is timed and what is printed beside the time.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/context.hpp"

namespace dsasrgs::bench {

/// The `threads` argument of a benchmark: CPU threads, or this for the CUDA device.
inline constexpr int kCuda = 0;

/// The machines benchmarks run on, asked for the first time within main(): 1 and 2 CPU threads and, where this build
/// and this machine have one, CUDA.
std::vector<std::int64_t> machines();
Context context_on(std::int64_t threads);

/// n numbers uniform in [low, high), the same every time, in the context's memory.
Buffer<float> uniform(Context&, std::size_t n, float low, float high);

/// What one call moves (read + written, each byte once) and computes (an FMA is two).
struct Work {
  double bytes = 0, flops = 0;
};

/// Times body() over the benchmark's iterations (manual time: CUDA by events around enough calls to fill 300 µs, the
/// CPU by the clock) and adds GB/s and GFLOP/s with their fraction of what this machine was measured to reach.
/// On CUDA what body() launches is recorded once and replayed ("replayed": 1) where it neither allocates nor waits;
/// otherwise the time holds what the host needs for the launches. Caches are warm; "cold ms" is the time with an L2
/// cache that holds other data.
void measure(benchmark::State&, Context&, const Work&, const std::function<void()>& body);

/// Times body(), which submits work by itself as it likes, `calls` calls in a row for each iteration.
void measure_calls(benchmark::State&, Context&, int calls, const std::function<void()>& body);

/// Registers the benchmarks of one file, once main() has begun (main.cpp).
struct AtStart {
  explicit AtStart(void (*registers)());
  static void run();
};
using benchmark::RegisterBenchmark;

/// Registers what measure() needs of a benchmark.
inline benchmark::internal::Benchmark* timed(benchmark::internal::Benchmark* b) {
  return b->UseManualTime()->Unit(benchmark::kMillisecond);
}

}  // namespace dsasrgs::bench
