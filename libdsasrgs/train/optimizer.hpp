// SPDX-License-Identifier: Apache-2.0
#pragma once
// The updates of one step: Adam on every parameter array, on the confidence and on the nuisance parameters.

#include <vector>

#include "adam/adam.hpp"
#include "train/schedule.hpp"
#include "train/training_loss.hpp"

namespace dsasrgs {

/// What Adam is to do with the rates of state.step: all parameter arrays and, in the steps that have L_sr, α and β.
/// Changes nothing; it is valid as long as the arrays of the gradient, which a backward pass has left, and of the
/// state.
std::vector<AdamArray> updates_of(const StepSchedule&, LossGradient&, TrainingState&);

/// Does updates_of(), and that of gain and offset of training view `slot`, as far as the configuration fits them.
/// Gradients in the context's memory are set to zero as they are read, nobody waits and nothing is allocated.
void update(Context&, const std::vector<AdamArray>&, const StepSchedule&, std::size_t slot, const LossGradient&,
            TrainingState&);

}  // namespace dsasrgs
