// SPDX-License-Identifier: Apache-2.0
#pragma once
// The events of training that change the Gaussians (method.md sections 2 and 3): density control (ADC), residual-guided
// splitting (RSD) and residual-guided births.

#include <functional>
#include <span>

#include "train/residual_births.hpp"
#include "train/schedule.hpp"
#include "train/training_state.hpp"

namespace dsasrgs {

/// What the events of one step did.
struct DensityEvents {
  std::size_t cloned = 0, split = 0, pruned = 0;  ///< by density control
  std::size_t residual_split = 0;                 ///< parents
  std::size_t born = 0;
};

/// Where attenuation is missing: `max_count` places at most.
using BirthFinder = std::function<std::vector<GaussianBirth>(std::size_t max_count)>;

/// Carries out those of state.step that are due: RSD, whose parents density control does not see any more, then density
/// control, then births. In each, Gaussians and optimiser moments are gathered into new arrays, the event's own
/// statistics start afresh, and those of the other kinds follow the Gaussians (gather_statistics). In the end the
/// Gaussians are sorted. `voxel_mm`: low_resolution_voxel_mm.
DensityEvents run_density_events(Context&, const StepSchedule&, double voxel_mm, const BirthFinder&, TrainingState&);

/// The parts of it. RSD returns how many Gaussians it split, append_births how many it made.
std::size_t run_residual_split(Context&, const StepSchedule&, double voxel_mm, TrainingState&);
void run_density_control(Context&, const StepSchedule&, TrainingState&, DensityEvents&);
/// Isotropic Gaussians of the configured scale s. A `static` model gives them the attenuation score/(√(2π)·s), whose
/// integral through the centre is the residual; a field says itself what is there.
std::size_t append_births(Context&, std::span<const GaussianBirth>, double voxel_mm, TrainingState&);

/// Puts the Gaussians, their moments and their statistics in the order of morton_order_of (train/initialize.hpp).
void sort_gaussians(Context&, TrainingState&);

}  // namespace dsasrgs
