// SPDX-License-Identifier: Apache-2.0
#pragma once
// A small simulated sweep whose head moved after the mask run.

#include "dsasrgs/simulator.hpp"

namespace dsasrgs::test {

/// Views of side × side pixels of a detector 307 mm wide, half of them (rounded up) for training, 200 000 photons.
inline Simulation moved_head(Context& ctx, int side, int views, Vec3d motion_mm) {
  SimulationOptions options;
  options.detector = {side, side, 307.2 / side, 307.2 / side};
  options.volume = {8, 8, 8, {20, 20, 20}, {-80, -80, -80}};
  options.sweep.num_views = views;
  options.num_train_views = (views + 1) / 2;
  options.reference_volume = false;
  options.motion_mm = motion_mm;
  options.photons = 200000;
  return simulate(ctx, generate_vessel_tree({}), {}, options);
}

}  // namespace dsasrgs::test
