#pragma once
// CPU body of neighbours; arguments are already validated and N > 0.

#include "neighbours/neighbours.hpp"

namespace dsasrgs::cpu {

/// Whether every coordinate is finite.
bool all_finite(const Context&, View<const float> values);
void neighbour_distances(const Context&, View<const float> position_mm, View<float> mean_squared_distance_mm2);

}  // namespace dsasrgs::cpu
