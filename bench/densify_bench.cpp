// SPDX-License-Identifier: Apache-2.0
// Density control of N Gaussians, a tenth of them selected. Arguments: Gaussians, threads.

#include <vector>

#include "densify/densify.hpp"
#include "measure.hpp"

namespace dsasrgs::bench {
namespace {

struct Cloud {
  Context ctx;
  DensityControl control;
  Buffer<float> position, raw_scale, rotation;
  DensityStatistics statistics;

  explicit Cloud(const benchmark::State& state) : ctx(context_on(state.range(1))) {
    const std::size_t n = static_cast<std::size_t>(state.range(0));
    position = uniform(ctx, 3 * n, -50, 50);
    raw_scale = uniform(ctx, 3 * n, -4, 0);
    rotation = uniform(ctx, 4 * n, -1, 1);
    statistics.gradient_norm = uniform(ctx, n, 0.05f, 1.05f);
    statistics.density = uniform(ctx, n, 1, 2);
    statistics.visible_steps = Buffer<std::uint32_t>::from_host(ctx, std::vector<std::uint32_t>(n, 1));
    statistics.steps = 1;
    control.gradient_threshold = 0.95f;
    control.box = {256, 256, 256, {0.5, 0.5, 0.5}, {-64, -64, -64}};
  }
  GaussianView view() const { return {position, raw_scale, rotation, {0.05f, 5}}; }
  double gaussians() const { return static_cast<double>(position.size() / 3); }
};

void densify_statistics(benchmark::State& state) {
  Cloud c(state);
  const std::size_t n = c.view().size();
  const auto grad = uniform(c.ctx, 2 * n, -1e-3f, 1e-3f), density = uniform(c.ctx, n, 0, 0.02f);
  const auto box = Buffer<PixelBox>::from_host(c.ctx, std::vector<PixelBox>(n, PixelBox{0, 0, 1, 1}));
  measure(state, c.ctx, {52 * c.gaussians(), 0}, [&] {
    density_statistics_add(c.ctx, {512, 512, 0.3, 0.3}, grad, box, density, c.statistics);
  });
}

void densify_plan(benchmark::State& state) {
  Cloud c(state);
  measure(state, c.ctx, {}, [&] { plan_density_control(c.ctx, c.control, c.view(), c.statistics); });
}

/// A parameter array of three columns and its two moments.
void densify_gather(benchmark::State& state) {
  Cloud c(state);
  const DensityPlan plan = plan_density_control(c.ctx, c.control, c.view(), c.statistics);
  Buffer<float> out(c.ctx, 3 * plan.size()), first(c.ctx, 3 * plan.size()), second(c.ctx, 3 * plan.size());
  const std::vector<RowGather> arrays{
      {3, false, c.position, out}, {3, true, c.position, first}, {3, true, c.raw_scale, second}};
  measure(state, c.ctx, {72.0 * static_cast<double>(plan.size()), 0}, [&] { gather_rows(c.ctx, plan, arrays); });
}

void sizes(benchmark::internal::Benchmark* b) {
  timed(b)->ArgNames({"gaussians", "threads"})->ArgsProduct({{50000, 100000}, machines()});
}
const AtStart registered([] {
  sizes(RegisterBenchmark("densify_statistics", densify_statistics));
  sizes(RegisterBenchmark("densify_plan", densify_plan));
  sizes(RegisterBenchmark("densify_gather", densify_gather));
});

}  // namespace
}  // namespace dsasrgs::bench
