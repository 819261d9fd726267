// SPDX-License-Identifier: Apache-2.0
#include "measure.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <memory>
#include <random>

#include "common/has_cuda.hpp"
#include "dsasrgs/error.hpp"
#include "machine_limits.hpp"
#include "timing.hpp"

namespace dsasrgs::bench {

namespace {

std::vector<void (*)()>& registrations() {
  static std::vector<void (*)()> list;
  return list;
}

std::vector<std::int64_t> find_machines() {
  std::vector<std::int64_t> list{1, 2};
  try {
    Context::cuda();
    list.push_back(kCuda);
  } catch (const BackendUnavailable&) {  // the CPU alone then
  }
  return list;
}

}  // namespace

AtStart::AtStart(void (*registers)()) { registrations().push_back(registers); }
void AtStart::run() {
  for (const auto registers : registrations()) registers();
}

std::vector<std::int64_t> machines() {
  static const std::vector<std::int64_t> list = find_machines();
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

namespace {

/// Processor seconds of all threads of this process: what other processes do to it matters less than to the clock.
double processor_s() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Adds the cold time, of a body that is timed on CUDA.
void add_cold_time(benchmark::State& state, Context& ctx, const std::function<void()>& body) {
  constexpr int kCalls = 11;
  constexpr std::size_t kFlushed = std::size_t{1} << 26;  // floats; no L2 cache holds 256 MB
  Buffer<float> flushing(ctx, kFlushed);
  state.counters["cold ms"] = 1e3 * cuda::cold_seconds(ctx, kCalls, flushing, body);
}

/// Mean seconds of one body(); adds the median of its processor time.
double time_iterations(benchmark::State& state, Context& ctx, int calls, const std::function<void()>& body) {
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
  return total_s / static_cast<double>(state.iterations());
}

}  // namespace

double seconds_of(Context& ctx, int calls, const std::function<void()>& body) {
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::seconds_between_events(ctx, calls, body);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i) body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void measure(benchmark::State& state, Context& ctx, const Work& work, const std::function<void()>& body) {
  constexpr double kEnough_s = 300e-6;
  body();  // buffers are made and caches warmed here
  ctx.synchronize();
  int calls = 1;
  std::shared_ptr<cuda::Recording> recording;
  std::function<void()> timed_body = body;
  if constexpr (has_cuda)
    if (ctx.asynchronous()) {
      recording = cuda::Recording::of(ctx, body);
      if (recording) timed_body = [&] { recording->run(ctx); };
      state.counters["replayed"] = recording ? 1 : 0;
      calls = static_cast<int>(std::clamp(std::ceil(kEnough_s / seconds_of(ctx, 1, timed_body)), 1.0, 200.0));
    }
  const double mean_s = time_iterations(state, ctx, calls, timed_body);
  if constexpr (has_cuda)
    if (recording) add_cold_time(state, ctx, timed_body);
  const MachineLimits& limits = machine_limits(ctx);
  const auto add = [&](const char* rate, const char* fraction, double amount, double limit) {
    if (amount <= 0) return;
    state.counters[rate] = 1e-9 * amount / mean_s;
    if (limit > 0) state.counters[fraction] = amount / mean_s / limit;
  };
  add("GB/s", "of copy", work.bytes, limits.copy_bytes_per_s);
  add("GFLOP/s", "of FMA", work.flops, limits.fma_flops_per_s);
}

void measure_calls(benchmark::State& state, Context& ctx, int calls, const std::function<void()>& body) {
  body();
  ctx.synchronize();
  time_iterations(state, ctx, calls, body);
}

}  // namespace dsasrgs::bench
