// SPDX-License-Identifier: Apache-2.0
#pragma once
// What was measured on a model, for people.

#include <string>

#include "dsasrgs/evaluation.hpp"

namespace dsasrgs::program {

/// The means as lines.
std::string evaluation_summary(const Evaluation&);
/// Of labels and of bicubic interpolation against the same truth.
std::string label_summary(const ViewScores& labels, const ViewScores& bicubic);

}  // namespace dsasrgs::program
