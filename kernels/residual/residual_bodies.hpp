// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of residual.hpp on both backends; arguments are already validated.

#include "residual/residual.hpp"

namespace dsasrgs::cpu {

void residual_score_add(const Context&, const ResidualInput&, ResidualScores&);
ResidualBirths pick_births(Context&, const VolumeGrid&, const ResidualScores&, int min_views, std::size_t max_count);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void residual_score_add(Context&, const ResidualInput&, ResidualScores&);
ResidualBirths pick_births(Context&, const VolumeGrid&, const ResidualScores&, int min_views, std::size_t max_count);

}  // namespace dsasrgs::cuda
