#pragma once
/// @file
/// Nearest neighbours, for the initial size of Gaussians.

#include "dsasrgs/gaussians.hpp"

namespace dsasrgs {

/// mean_squared_distance_mm2 [N] ← mean of the squared distances from point i to its 3 nearest other points
/// (method.md section 2); with fewer than 4 points, to those there are; 0 for a single point.
/// position_mm [N,3]. Exact; deterministic. Throws InvalidArgument when sizes disagree or a position is not finite.
void neighbour_distances(Context&, View<const float> position_mm, View<float> mean_squared_distance_mm2);

}  // namespace dsasrgs
