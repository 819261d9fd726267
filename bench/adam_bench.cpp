// Adam over the tables of both hash grids (12.2 M entries): the largest memory pass of a training step.

#include <benchmark/benchmark.h>

#include <vector>

#include "adam/adam.hpp"

namespace {

using namespace dsasrgs;

constexpr std::size_t kEntries = 12'200'000;

/// Arguments: threads, and how many entries of a thousand (in runs of 16) have a gradient.
void adam(benchmark::State& state, AdamMode mode) {
  Context ctx = Context::cpu(static_cast<int>(state.range(0)));
  auto p = Buffer<float>::zeros(ctx, kEntries), g = Buffer<float>::zeros(ctx, kEntries),
       m = Buffer<float>::zeros(ctx, kEntries), v = Buffer<float>::zeros(ctx, kEntries);
  for (float& x : g.view()) x = 1e-3f;
  AdamStep step;
  adam_update(ctx, step, {p, g, m, v});
  step.mode = mode;
  const std::size_t touched = static_cast<std::size_t>(state.range(1));
  for (auto _ : state) {
    if (mode == AdamMode::sparse) {
      state.PauseTiming();
      for (std::size_t run = 0; run < kEntries / 16; ++run)
        if (run * 7919 % 1000 < touched) g.view()[16 * run + 3] = 1e-3f;
      state.ResumeTiming();
    }
    adam_update(ctx, step, {p, g, m, v});
    ++step.step;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kEntries));
  if (mode == AdamMode::dense) state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(32 * kEntries));
}

}  // namespace

BENCHMARK_CAPTURE(adam, dense, AdamMode::dense)
    ->Args({1, 1000})
    ->Args({2, 1000})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(adam, sparse, AdamMode::sparse)
    ->Args({1, 100})
    ->Args({2, 100})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
