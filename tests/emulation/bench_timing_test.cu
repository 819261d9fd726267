// SPDX-License-Identifier: Apache-2.0
// The benchmarks' timing of CUDA work and their machine limits, which no GPU may be there to try.

#include <catch2/catch.hpp>
#include <numeric>
#include <vector>

#include "bench/machine_limits.hpp"
#include "bench/timing.hpp"
#include "common/launch.cuh"
#include "dsasrgs/buffer.hpp"

using namespace dsasrgs;

namespace {

__global__ void add_one(float* value) { atomicAdd(value, 1.0f); }

/// A value on the device that each call adds 1 to.
struct Counter {
  Context ctx = Context::cuda(1);  // not the current device
  Buffer<float> value = Buffer<float>::zeros(ctx, 1);

  void add() { cuda::launch(ctx, "add_one", cuda::one_thread_each(1, 32), add_one, value.data()); }
  float get() { return value.to_host(ctx)[0]; }
};

}  // namespace

TEST_CASE("bench: a body is recorded once and replayed", "[emulation][bench]") {
  Counter counter;
  const auto recording = bench::cuda::Recording::of(counter.ctx, [&] {
    counter.add();
    counter.add();
  });
  REQUIRE(recording != nullptr);
  CHECK(counter.get() == 0);
  for (int i = 0; i < 3; ++i) recording->run(counter.ctx);
  CHECK(counter.get() == 6 * 32);
}

TEST_CASE("bench: a body that allocates or waits is not recorded, and the stream is as before", "[emulation][bench]") {
  Counter counter;
  CHECK(bench::cuda::Recording::of(counter.ctx, [&] {
          counter.add();
          const Buffer<float> made(counter.ctx, 3);
        }) == nullptr);
  CHECK(bench::cuda::Recording::of(counter.ctx, [&] {
          counter.add();
          counter.ctx.synchronize();
        }) == nullptr);
  counter.add();
  CHECK(counter.get() == 32);
}

TEST_CASE("bench: time between events and cold time", "[emulation][bench]") {
  Counter counter;
  CHECK(bench::cuda::seconds_between_events(counter.ctx, 5, [&] { counter.add(); }) > 0);
  CHECK(counter.get() == 5 * 32);
  Buffer<float> flushing(counter.ctx, 1000);
  CHECK(bench::cuda::cold_seconds(counter.ctx, 3, flushing, [&] { counter.add(); }) > 0);
  CHECK(counter.get() == 8 * 32);
  CHECK(flushing.to_host(counter.ctx)[999] != 0);  // bytes of the last call's number
}

TEST_CASE("bench: the additions that are counted are made", "[emulation][bench]") {
  Counter counter;
  constexpr std::size_t kEntries = 1009;
  auto entries = Buffer<float>::zeros(counter.ctx, kEntries);
  const double made = bench::cuda::add_apart(counter.ctx, entries.data(), kEntries);
  const std::vector<float> sums = entries.to_host(counter.ctx);
  CHECK(std::accumulate(sums.begin(), sums.end(), 0.0) == made);
  // Spread over the entries evenly.
  CHECK(*std::max_element(sums.begin(), sums.end()) < 1.1 * made / kEntries);
  const double together = bench::cuda::add_together(counter.ctx, counter.value.data());
  CHECK(counter.get() == together);
}
