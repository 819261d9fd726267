// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is due at a step: learning rates, thresholds, density events, the view.

#include <cstdint>

#include "dsasrgs/reconstructor.hpp"
#include "model_parameters.hpp"

namespace dsasrgs {

/// Learning rates and thresholds of one step, for the model's own units (mm, 1/mm).
struct StepSchedule {
  PerParameter<float> rate, epsilon;      ///< of Adam
  double nuisance_gain, nuisance_offset;  ///< rates
  float confidence;                       ///< rate
  float min_mean_density_per_mm;
  bool density_event;
  float split_voxels;
  bool residual_split_event;
  float residual_split_threshold;  ///< τ_grad·η_iter
  bool residual_births_event;
  bool changes_gaussians() const { return density_event || residual_split_event || residual_births_event; }
};
StepSchedule schedule_at(const Config&, const TrainingUnits&, int step);

/// Training view of a step (1-based): each epoch is a permutation drawn from (seed, epoch), so it needs no state.
int view_of_step(std::int64_t seed, int num_views, int step);

}  // namespace dsasrgs
