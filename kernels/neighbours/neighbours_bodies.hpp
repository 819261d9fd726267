#pragma once
// The bodies of neighbours.hpp on both backends; arguments are already validated and N > 0.

#include "neighbours/neighbours.hpp"

namespace dsasrgs::cpu {

/// Whether every coordinate is finite.
bool all_finite(const Context&, View<const float> values);
void neighbour_distances(const Context&, View<const float> position_mm, View<float> mean_squared_distance_mm2);

}  // namespace dsasrgs::cpu

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
