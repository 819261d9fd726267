// SPDX-License-Identifier: Apache-2.0
#pragma once
// A small simulated acquisition and a configuration to match, for tests of the whole reconstruction.

#include "dsasrgs/config.hpp"
#include "dsasrgs/simulator.hpp"

namespace dsasrgs::test {

/// A short Y-shaped vessel, 24 views of 48 × 40 pixels over 200°, 12 of them for training.
inline Simulation small_simulation(Context& ctx, const ContrastOptions& contrast = {}) {
  VesselTree tree;
  tree.nodes = {{{0, 0, -20}, 3.0, -1}, {{2, 1, 0}, 2.6, 0}, {{10, 8, 14}, 1.8, 1}, {{-10, -4, 16}, 1.8, 1}};
  SimulationOptions options;
  options.sweep.num_views = 24;
  options.detector = {48, 40, 2.0, 2.0};
  options.volume = {40, 40, 40, {1.25, 1.25, 1.25}, {-25, -25, -25}};
  options.num_train_views = 12;
  return simulate(ctx, tree, contrast, options);
}

/// The same filled before the sweep begins, and until it ends.
inline Simulation still_simulation(Context& ctx) {
  ContrastOptions contrast;
  contrast.arrival_s = -30;
  contrast.injection_s = 60;
  return small_simulation(ctx, contrast);
}

/// A few hundred Gaussians and small tables: seconds, not minutes.
inline Config small_config(int steps, std::string_view preset = "4drgs") {
  Config config = preset_config(preset);
  config.training.steps = steps;
  config.gaussians.initial = 500;
  config.gaussians.init_percentile = 98;
  config.field.grid3d = {6, 12, 4, 1.5};
  config.field.grid4d = {6, 12, 2, 1.5};
  config.field.width = 32;
  config.density_control.every = 50;
  config.density_control.first_step = 60;
  config.density_control.last_step = steps / 2;
  return config;
}

/// Density events after steps 25, 50 and so on to step 60: a run of 55 steps has seen two.
inline Config with_early_events(Config config) {
  config.density_control.every = 25;
  config.density_control.first_step = 20;
  config.density_control.last_step = 60;
  return config;
}

/// For what is done with the files of a run: a model of a few kilobytes.
inline Config tiny_config(int steps, std::string_view preset = "4drgs") {
  Config config = small_config(steps, preset);
  config.gaussians.initial = 50;
  config.field.grid3d = {2, 6, 4, 1.5};
  config.field.grid4d = {2, 6, 2, 1.5};
  config.field.width = 16;
  return config;
}

}  // namespace dsasrgs::test
