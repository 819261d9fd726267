// SPDX-License-Identifier: Apache-2.0
#pragma once
// Moments asked of a model, held against the sweep it was trained on.

#include <vector>

#include "dsasrgs/model.hpp"

namespace dsasrgs::program {

/// Says on stderr which times, in s, lie outside the model's sweep: the model shows the sweep's nearer end there.
void warn_outside_sweep(const Model&, const std::vector<double>& times_s, bool quiet);
/// The moment of the sweep that is shown for one that was asked for, and that files of it are of.
double within_sweep(const Model&, double time_s);

}  // namespace dsasrgs::program
