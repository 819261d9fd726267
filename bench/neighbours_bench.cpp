// Nearest neighbours of N points, spread evenly over a box or along thin random lines. Arguments: points, lines,
// threads.

#include <benchmark/benchmark.h>

#include <random>
#include <utility>
#include <vector>

#include "neighbours/neighbours.hpp"

namespace dsasrgs {
namespace {

void neighbours(benchmark::State& state) {
  Context ctx = Context::cpu(static_cast<int>(state.range(2)));
  const std::size_t n = static_cast<std::size_t>(state.range(0));
  const bool lines = state.range(1) != 0;
  std::mt19937 generator(1);
  std::uniform_real_distribution<float> place(-50, 50), step(-0.3f, 0.3f), along(0, 1);
  std::vector<float> position, distance(n);
  for (std::size_t i = 0; i < n; ++i) {
    if (!lines) {
      for (int a = 0; a < 3; ++a) position.push_back(place(generator));
      continue;
    }
    std::mt19937 line(static_cast<std::uint32_t>(i % 40));
    const float t = along(generator);
    for (int a = 0; a < 3; ++a) {
      const float from = place(line), to = place(line);
      position.push_back(from + t * (to - from) + step(generator));
    }
  }
  for (auto _ : state) neighbour_distances(ctx, view_of(std::as_const(position)), view_of(distance));
  state.counters["points/s"] =
      benchmark::Counter(static_cast<double>(n) * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(neighbours)
    ->ArgNames({"points", "lines", "threads"})
    ->ArgsProduct({{30000, 200000}, {0, 1}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace dsasrgs
