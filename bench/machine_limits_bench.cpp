// SPDX-License-Identifier: Apache-2.0
// What the machine reaches at best, which the fractions beside other benchmarks refer to. Argument: threads.

#include "machine_limits.hpp"
#include "measure.hpp"

namespace dsasrgs::bench {
namespace {

void machine(benchmark::State& state) {
  Context ctx = context_on(state.range(0));
  const MachineLimits& limits = machine_limits(ctx);
  for (auto _ : state) state.SetIterationTime(1e-9);  // the counters are what counts
  state.counters["copy GB/s"] = 1e-9 * limits.copy_bytes_per_s;
  state.counters["FMA GFLOP/s"] = 1e-9 * limits.fma_flops_per_s;
  if (!ctx.asynchronous()) return;
  state.counters["adds apart G/s"] = 1e-9 * limits.adds_apart_per_s;
  state.counters["adds together G/s"] = 1e-9 * limits.adds_together_per_s;
}

const AtStart registered([] {
  timed(RegisterBenchmark("machine", machine))->ArgNames({"threads"})->ArgsProduct({machines()})->Iterations(1);
});

}  // namespace
}  // namespace dsasrgs::bench
