// SPDX-License-Identifier: Apache-2.0
// A whole training step of the `4drgs` preset with its published table sizes, split by stage (counters in ms per step).
// Arguments: Gaussians, image side in pixels, threads.

#include <string>

#include "dsasrgs/reconstructor.hpp"
#include "dsasrgs/simulator.hpp"
#include "measure.hpp"

namespace dsasrgs::bench {
namespace {

void training_step(benchmark::State& state) {
  const int side = static_cast<int>(state.range(1));
  Context ctx = context_on(state.range(2));
  SimulationOptions options;
  options.sweep.num_views = 8;
  options.num_train_views = 8;
  options.detector = {side, side, 307.2 / side, 307.2 / side};
  options.samples_per_pixel = 1;
  options.reference_volume = false;
  // Twice the default resolution, so that there are enough candidate voxels for the largest count.
  options.volume = {256, 256, 256, {0.625, 0.625, 0.625}, {-80, -80, -80}};
  const Simulation simulation = simulate(ctx, generate_vessel_tree({}), {}, options);
  Config config = preset_config("4drgs");
  config.gaussians.initial = static_cast<int>(state.range(0));
  config.density_control.first_step = config.training.steps;
  Reconstructor reconstructor(ctx, simulation.acquisition, config);
  reconstructor.step();
  const auto before = reconstructor.stage_seconds();
  measure(state, ctx, {}, [&] { reconstructor.step(); });
  const auto after = reconstructor.stage_seconds();
  for (std::size_t i = 0; i < after.size(); ++i)
    state.counters[after[i].first + " ms"] = benchmark::Counter(1e3 * (after[i].second - before[i].second) /
                                                                static_cast<double>(reconstructor.steps_done() - 1));
  state.counters["gaussians"] = static_cast<double>(reconstructor.model().cloud.size());
}

void sizes(benchmark::internal::Benchmark* b) {
  timed(b)->ArgNames({"gaussians", "px", "threads"});
  for (const std::int64_t threads : machines())
    if (threads != 1) b->Args({20000, 512, threads})->Args({50000, 512, threads})->Args({100000, 1024, threads});
}
BENCHMARK(training_step)->Apply(sizes);

}  // namespace
}  // namespace dsasrgs::bench
