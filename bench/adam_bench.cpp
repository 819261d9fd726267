// SPDX-License-Identifier: Apache-2.0
// Adam over the tables of both hash grids (12.2 M entries): the largest memory pass of a training step. Arguments:
// threads, and dense (1) or sparse (0) with nothing touched, which is a sparse step's least time: a step zeroes the
// gradient as it reads it, so no call after the first finds any.

#include "adam/adam.hpp"
#include "measure.hpp"

namespace dsasrgs::bench {
namespace {

constexpr std::size_t kEntries = 12'200'000;

void adam(benchmark::State& state) {
  Context ctx = context_on(state.range(0));
  const bool dense = state.range(1) != 0;
  auto p = Buffer<float>::zeros(ctx, kEntries), g = Buffer<float>::zeros(ctx, kEntries),
       m = Buffer<float>::zeros(ctx, kEntries), v = uniform(ctx, kEntries, 1e-6f, 1e-3f);
  AdamStep step;
  step.mode = dense ? AdamMode::dense : AdamMode::sparse;
  const double bytes = dense ? 28.0 * kEntries : 4.0 * kEntries;
  measure(state, ctx, {bytes, dense ? 15.0 * kEntries : 0}, [&] {
    adam_update(ctx, step, {p, g, m, v});
    ++step.step;
  });
}

void sizes(benchmark::internal::Benchmark* b) {
  timed(b)->ArgNames({"threads", "dense"})->ArgsProduct({machines(), {1, 0}});
}
const AtStart registered([] { sizes(RegisterBenchmark("adam", adam)); });

}  // namespace
}  // namespace dsasrgs::bench
