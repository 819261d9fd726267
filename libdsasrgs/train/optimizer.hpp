// SPDX-License-Identifier: Apache-2.0
#pragma once
// The updates of one step: Adam on every parameter array, on the confidence and on the nuisance parameters.

#include "train/schedule.hpp"
#include "train/training_loss.hpp"

namespace dsasrgs {

/// With the rates of state.step: all parameter arrays; in the steps that have L_sr, α and β; and those of gain and
/// offset of training view `slot` that the configuration fits. Gradients in the context's memory are set to zero as
/// they are read, and nobody waits.
void update(Context&, const StepSchedule&, std::size_t slot, LossGradient&, TrainingState&);

}  // namespace dsasrgs
