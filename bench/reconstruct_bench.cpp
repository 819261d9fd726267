// SPDX-License-Identifier: Apache-2.0
// A whole training step of the `4drgs` preset with its published table sizes, split by stage (counters in ms per step).
// Arguments: Gaussians, image side in pixels, threads.

#include <map>
#include <string>

#include "dsasrgs/reconstructor.hpp"
#include "dsasrgs/simulator.hpp"
#include "measure.hpp"

namespace dsasrgs::bench {
namespace {

/// Eight views of the built-in tree; made once, since a benchmark is called for several sizes.
const Acquisition& acquisition_of(int side) {
  static std::map<int, Acquisition> known;
  const auto it = known.find(side);
  if (it != known.end()) return it->second;
  Context ctx = context_on(machines().back());
  SimulationOptions options;
  options.sweep.num_views = 8;
  options.num_train_views = 8;
  options.detector = {side, side, 307.2 / side, 307.2 / side};
  options.samples_per_pixel = 1;
  options.reference_volume = false;
  // Twice the default resolution, so that there are enough candidate voxels for the largest count.
  options.volume = {256, 256, 256, {0.625, 0.625, 0.625}, {-80, -80, -80}};
  return known[side] = simulate(ctx, generate_vessel_tree({}), {}, options).acquisition;
}

void training_step(benchmark::State& state) {
  Context ctx = context_on(state.range(2));
  Config config = preset_config("4drgs");
  config.gaussians.initial = static_cast<int>(state.range(0));
  config.density_control.first_step = config.training.steps;
  Reconstructor reconstructor(ctx, acquisition_of(static_cast<int>(state.range(1))), config);
  reconstructor.step();
  const int steps = ctx.asynchronous() ? 64 : 1;  // the host prepares a step while the device is at earlier ones
  measure_calls(state, ctx, steps, [&] { reconstructor.step(); });
  // The stages: on a device in other steps, which events slow down.
  reconstructor.time_stages_on_device(true);
  const auto before = reconstructor.stage_seconds();
  const int first = reconstructor.steps_done();
  for (int i = 0; i < 8 * steps; ++i) reconstructor.step();
  const auto after = reconstructor.stage_seconds();
  for (std::size_t i = 0; i < after.size(); ++i)
    state.counters[after[i].first + " ms"] = benchmark::Counter(
        1e3 * (after[i].second - before[i].second) / static_cast<double>(reconstructor.steps_done() - first));
  state.counters["gaussians"] = static_cast<double>(reconstructor.model().cloud.size());
}

const AtStart registered([] {
  // A fixed number: otherwise a run of few iterations goes before each, with its initialisation.
  for (const std::int64_t threads : machines())
    if (threads != 1)
      timed(RegisterBenchmark("training_step", training_step))
          ->ArgNames({"gaussians", "px", "threads"})
          ->Args({20000, 512, threads})
          ->Args({50000, 512, threads})
          ->Args({100000, 1024, threads})
          ->Iterations(8);
});

}  // namespace
}  // namespace dsasrgs::bench
