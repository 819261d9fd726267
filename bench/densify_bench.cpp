// Density control of N kernels, a tenth of them selected. Arguments: kernels, threads.

#include <benchmark/benchmark.h>

#include <random>
#include <utility>
#include <vector>

#include "densify/densify.hpp"

namespace dsasrgs {
namespace {

struct DensifyBench {
  Context ctx;
  DensityControl control;
  std::vector<float> position, raw_scale, rotation;
  DensityStatistics statistics;
  GaussianView view;

  explicit DensifyBench(const benchmark::State& state) : ctx(Context::cpu(static_cast<int>(state.range(1)))) {
    const std::size_t n = static_cast<std::size_t>(state.range(0));
    std::mt19937 generator(1);
    std::uniform_real_distribution<float> unit(-1, 1);
    for (std::size_t i = 0; i < 3 * n; ++i) {
      position.push_back(50 * unit(generator));
      raw_scale.push_back(2 * unit(generator) - 2);
    }
    for (std::size_t i = 0; i < 4 * n; ++i) rotation.push_back(unit(generator));
    statistics = DensityStatistics::zeros(ctx, n);
    for (std::size_t i = 0; i < n; ++i) {
      statistics.gradient_norm.data()[i] = 0.55f + 0.5f * unit(generator);
      statistics.density.data()[i] = 1;
      statistics.visible_steps.data()[i] = 1;
    }
    statistics.steps = 1;
    control.gradient_threshold = 0.95f;
    control.box = {256, 256, 256, {0.5, 0.5, 0.5}, {-64, -64, -64}};
    view = {view_of(std::as_const(position)),
            view_of(std::as_const(raw_scale)),
            view_of(std::as_const(rotation)),
            {0.05f, 5}};
  }
};

void densify_statistics(benchmark::State& state) {
  DensifyBench b(state);
  const std::size_t n = b.view.size();
  const std::vector<float> grad(2 * n, 1e-3f), density(n, 0.02f);
  const std::vector<PixelBox> box(n, PixelBox{0, 0, 1, 1});
  for (auto _ : state)
    density_statistics_add(b.ctx, {512, 512, 0.3, 0.3}, view_of(grad), view_of(box), view_of(density), b.statistics);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(n) * 52);
}

void densify_plan(benchmark::State& state) {
  DensifyBench b(state);
  for (auto _ : state) benchmark::DoNotOptimize(plan_density_control(b.ctx, b.control, b.view, b.statistics));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void densify_gather(benchmark::State& state) {
  DensifyBench b(state);
  const DensityPlan plan = plan_density_control(b.ctx, b.control, b.view, b.statistics);
  std::vector<float> out(3 * plan.source.size());
  for (auto _ : state) gather_rows(b.ctx, plan, 3, true, b.view.position_mm, view_of(out));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(plan.source.size()) * 24);
}

void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"kernels", "threads"})
      ->ArgsProduct({{50000, 100000}, {1, 2}})
      ->Unit(benchmark::kMicrosecond)
      ->UseRealTime();
}
BENCHMARK(densify_statistics)->Apply(sizes);
BENCHMARK(densify_plan)->Apply(sizes);
BENCHMARK(densify_gather)->Apply(sizes);

}  // namespace
}  // namespace dsasrgs
