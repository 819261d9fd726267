// SPDX-License-Identifier: Apache-2.0
// Simulation of a sweep over a vessel tree.
#include "dsasrgs/simulator.hpp"

#include "common/host_vector.hpp"
#include "dsasrgs/error.hpp"
#include "simulate/simulated_sweep.hpp"
#include "simulate/vessel_rays.hpp"
#include "simulate/vessel_tree.hpp"

namespace dsasrgs {

namespace {
constexpr int kReferenceSamples = 4;  // points along a voxel's side in the reference volume
}

Simulation simulate(Context& ctx, const VesselTree& tree, const ContrastOptions& contrast,
                    const SimulationOptions& options) try {
  check_simulation_options(options);
  if (tree.nodes.empty()) throw InvalidArgument("simulate: tree.nodes: expected at least one, found none");
  check_vessel_tree(tree);
  const ContrastCurves curves(tree, contrast);
  const std::vector<VesselCapsule> capsules = vessel_capsules(tree);
  const auto integrals = [&](const Pose& pose, const Detector& rays) {
    return with_host_memory(vessel_bytes(tree, rays.num_pixels()), [&] {
      return cast_vessel_rays(ctx, capsules, curves.attenuation(pose.time_s), pose, rays);
    });
  };
  Simulation simulation = acquire_sweep(ctx, options, integrals, "simulated vessel tree");
  if (options.reference_volume)
    simulation.acquisition.reference_volume =
        ReferenceVolume{vessel_volume(ctx, tree, curves, options.volume, kReferenceSamples,
                                      frame_times_s(simulation.acquisition.poses)),
                        {}};
  return simulation;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
