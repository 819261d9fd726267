// SPDX-License-Identifier: Apache-2.0
#pragma once
// From vessel line integrals to what the detector reads: background, binning, noise, truth.

#include <functional>
#include <string>
#include <vector>

#include "dsasrgs/simulator.hpp"

namespace dsasrgs {

/// Vessel line integrals of one view for the pixel centres of a detector, [H,W].
using ViewIntegrals = std::function<std::vector<float>(const Pose&, const Detector& rays)>;

/// Throws InvalidArgument naming the option that is out of range.
void check_simulation_options(const SimulationOptions&);

/// Frame times of the sweep, s.
std::vector<double> frame_times_s(const std::vector<Pose>&);

/// Runs the sweep: everything of a Simulation but the reference volume.
Simulation acquire_sweep(Context&, const SimulationOptions&, const ViewIntegrals&, const std::string& name);

}  // namespace dsasrgs
