#pragma once
// The updates of one step: Adam on every parameter array, on the confidence and on the nuisance parameters.

#include "train/schedule.hpp"
#include "train/training_state.hpp"
#include "train/view_loss.hpp"

namespace dsasrgs {

/// Updates all parameter arrays and, in the steps that have L_sr, α and β, with the rates of state.step. The gradients
/// are set to zero as they are read. Nobody waits.
void update_parameters(Context&, const StepSchedule&, ModelGradient&, TrainingState&);

/// Updates those of gain and offset of a training view that the configuration fits.
void update_nuisance(const StepSchedule&, std::size_t slot, const NuisanceGradient&, TrainingState&);

}  // namespace dsasrgs
