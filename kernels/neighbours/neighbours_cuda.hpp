#pragma once
// CUDA body of neighbours; arguments are already validated and N > 0.

#include "neighbours/neighbours.hpp"

namespace dsasrgs::cuda {

/// What the host must know of the points.
struct PointSpread {
  bool finite;      ///< every coordinate is
  int widest_axis;  ///< 0 to 2; meaningless unless finite
};
/// Waits for the result.
PointSpread spread_of_points(Context&, View<const float> position_mm);

/// Points must be finite. The search is short along an axis on which the points are spread out.
void neighbour_distances(Context&, int sort_axis, View<const float> position_mm, View<float> mean_squared_distance_mm2);

}  // namespace dsasrgs::cuda
