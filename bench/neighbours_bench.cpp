// Nearest neighbours of N points, spread evenly over a box or along thin random lines. Arguments: points, lines,
// threads.

#include <random>
#include <vector>

#include "measure.hpp"
#include "neighbours/neighbours.hpp"

namespace dsasrgs::bench {
namespace {

void neighbours(benchmark::State& state) {
  Context ctx = context_on(state.range(2));
  const std::size_t n = static_cast<std::size_t>(state.range(0));
  const bool lines = state.range(1) != 0;
  std::mt19937 generator(1);
  std::uniform_real_distribution<float> place(-50, 50), step(-0.3f, 0.3f), along(0, 1);
  std::vector<float> position;
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
  const auto points = Buffer<float>::from_host(ctx, position);
  Buffer<float> distance(ctx, n);
  measure(state, ctx, {}, [&] { neighbour_distances(ctx, points, distance); });
}

void sizes(benchmark::internal::Benchmark* b) {
  timed(b)->ArgNames({"points", "lines", "threads"})->ArgsProduct({{30000, 200000}, {0, 1}, machines()});
}
BENCHMARK(neighbours)->Apply(sizes);

}  // namespace
}  // namespace dsasrgs::bench
