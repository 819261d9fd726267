// SPDX-License-Identifier: Apache-2.0
#include "measure.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <random>

#include "dsasrgs/error.hpp"
#include "machine_limits.hpp"

namespace dsasrgs::bench {

namespace {
/// Processor seconds of all threads of this process: what other processes do to it matters less than to the clock.
double processor_s() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}
}  // namespace

std::vector<std::int64_t> machines() {
  std::vector<std::int64_t> list{1, 2};
  try {
    Context::cuda();
    list.push_back(kCuda);
  } catch (const BackendUnavailable&) {  // the CPU alone then
  }
  return list;
}

Context context_on(std::int64_t threads) {
  return threads == kCuda ? Context::cuda() : Context::cpu(static_cast<int>(threads));
}

Buffer<float> uniform(Context& ctx, std::size_t n, float low, float high) {
  std::mt19937 generator(1);
  std::uniform_real_distribution<float> distribution(low, high);
  std::vector<float> values(n);
  for (float& v : values) v = distribution(generator);
  return Buffer<float>::from_host(ctx, values);
}

void measure(benchmark::State& state, Context& ctx, const Work& work, const std::function<void()>& body) {
  constexpr double kEnough_s = 300e-6;
  body();  // buffers are made and caches warmed here
  ctx.synchronize();
  int calls = 1;
  if (ctx.asynchronous())
    calls = static_cast<int>(std::clamp(std::ceil(kEnough_s / seconds_of(ctx, 1, body)), 1.0, 200.0));
  double total_s = 0;
  std::vector<double> processor_ms;
  for (auto _ : state) {
    const double start_s = processor_s(), s = seconds_of(ctx, calls, body) / calls;
    state.SetIterationTime(s);
    total_s += s;
    processor_ms.push_back(1e3 * (processor_s() - start_s) / calls);
  }
  const auto middle = processor_ms.begin() + static_cast<std::ptrdiff_t>(processor_ms.size() / 2);
  std::nth_element(processor_ms.begin(), middle, processor_ms.end());
  state.counters["processor ms"] = *middle;
  const double mean_s = total_s / static_cast<double>(state.iterations());
  const MachineLimits& limits = machine_limits(ctx);
  const auto add = [&](const char* rate, const char* fraction, double amount, double limit) {
    if (amount <= 0) return;
    state.counters[rate] = 1e-9 * amount / mean_s;
    if (limit > 0) state.counters[fraction] = amount / mean_s / limit;
  };
  add("GB/s", "of copy", work.bytes, limits.copy_bytes_per_s);
  add("GFLOP/s", "of FMA", work.flops, limits.fma_flops_per_s);
}

}  // namespace dsasrgs::bench
