// SPDX-License-Identifier: Apache-2.0
#pragma once
// A run with as few of everything as it can have: views, pixels, Gaussians and steps, but with a density event, total
// variation and labels.

#include <filesystem>
#include <memory>

#include "dsasrgs/config.hpp"
#include "dsasrgs/simulator.hpp"
#include "support/labels.hpp"
#include "support/temporary_folder.hpp"

namespace dsasrgs::test {

struct TinyRun {
  Context& ctx;
  TemporaryFolder folder;
  Acquisition acquisition;
  Config config = preset_config("dsa-srgs");
  std::shared_ptr<const PseudoLabels> labels;

  explicit TinyRun(Context& context) : ctx(context) {
    VesselTree tree;
    tree.nodes = {{{0, 0, -20}, 6.0, -1}, {{4, 2, 16}, 5, 0}};
    SimulationOptions options;
    options.sweep.num_views = 6;
    options.detector = {12, 10, 8, 8};
    options.volume = {10, 10, 10, {5, 5, 5}, {-25, -25, -25}};
    options.num_train_views = 4;
    options.samples_per_pixel = 1;
    acquisition = simulate(ctx, tree, {}, options).acquisition;
    config.training.steps = 6;
    config.training.tv_weight = 0.05;
    config.training.tv_block = 8;
    config.gaussians.initial = 40;
    config.gaussians.init_percentile = 90;
    config.field.grid3d = {2, 6, 2, 1.5};
    config.field.grid4d = {2, 6, 2, 1.5};
    config.field.width = 16;
    config.density_control.first_step = 2;
    config.density_control.every = 3;
    config.density_control.last_step = 6;
    config.super_resolution.scale = 2;
    config.super_resolution.first_step = 1;
    config.super_resolution.keep_labels = false;
    labels = std::make_shared<const PseudoLabels>(lanczos_labels(acquisition, 2, folder / "labels.h5"));
  }
  std::filesystem::path file(const char* name) const { return folder / name; }
};

}  // namespace dsasrgs::test
