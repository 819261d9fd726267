// The hash encoding on random points: the worst case for the caches (a cloud sorted along a curve is kinder).

#include <benchmark/benchmark.h>

#include <random>

#include "hash_grid/hash_grid.hpp"

namespace {

using namespace dsasrgs;

Buffer<float> uniform(Context& ctx, std::size_t n, float low, float high) {
  std::mt19937 generator(1);
  std::uniform_real_distribution<float> distribution(low, high);
  Buffer<float> b(ctx, n);
  for (float& x : b.view()) x = distribution(generator);
  return b;
}

const HashGridShape k16Levels{3, 16, 19, 8, 1.45}, kSpace{3, 12, 19, 8, 1.45}, kSpaceTime{4, 12, 19, 2, 1.4};

/// Arguments: threads, points.
void hash_grid_forward_pass(benchmark::State& state, const HashGridShape& shape) {
  Context ctx = Context::cpu(static_cast<int>(state.range(0)));
  const std::size_t n = static_cast<std::size_t>(state.range(1));
  const auto position = uniform(ctx, 3 * n, 0, 1), table = uniform(ctx, hash_grid_num_parameters(shape), -1, 1);
  Buffer<float> features(ctx, static_cast<std::size_t>(shape.levels) * kHashFeatures * n);
  for (auto _ : state) hash_grid_forward(ctx, shape, {position, 0.4f, table}, features);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n));
}

void hash_grid_backward_pass(benchmark::State& state, const HashGridShape& shape, bool to_position) {
  Context ctx = Context::cpu(static_cast<int>(state.range(0)));
  const std::size_t n = static_cast<std::size_t>(state.range(1));
  const auto position = uniform(ctx, 3 * n, 0, 1), table = uniform(ctx, hash_grid_num_parameters(shape), -1, 1),
             grad_features = uniform(ctx, static_cast<std::size_t>(shape.levels) * kHashFeatures * n, -1, 1);
  auto grad_table = Buffer<float>::zeros(ctx, table.size());
  Buffer<float> grad_position(ctx, to_position ? 3 * n : 0);
  for (auto _ : state)
    hash_grid_backward(ctx, shape, {position, 0.4f, table}, grad_features, grad_table, GradientMode::overwrite,
                       grad_position);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n));
}

void sizes(benchmark::internal::Benchmark* b) {
  for (const std::int64_t threads : {1, 2})
    for (const std::int64_t n : {5000, 50000}) b->Args({threads, n});
  b->Unit(benchmark::kMillisecond)->UseRealTime();
}

}  // namespace

BENCHMARK_CAPTURE(hash_grid_forward_pass, 3d_16_levels, k16Levels)->Apply(sizes);
BENCHMARK_CAPTURE(hash_grid_forward_pass, 3d, kSpace)->Apply(sizes);
BENCHMARK_CAPTURE(hash_grid_forward_pass, 4d, kSpaceTime)->Apply(sizes);
BENCHMARK_CAPTURE(hash_grid_backward_pass, 3d_16_levels_table_only, k16Levels, false)->Apply(sizes);
BENCHMARK_CAPTURE(hash_grid_backward_pass, 3d_16_levels, k16Levels, true)->Apply(sizes);
BENCHMARK_CAPTURE(hash_grid_backward_pass, 3d, kSpace, true)->Apply(sizes);
BENCHMARK_CAPTURE(hash_grid_backward_pass, 4d, kSpaceTime, true)->Apply(sizes);
