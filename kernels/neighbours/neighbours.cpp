#include "neighbours/neighbours.hpp"

#include "common/has_cuda.hpp"
#include "common/require.hpp"
#include "neighbours/neighbours_bodies.hpp"

namespace dsasrgs {

void neighbour_distances(Context& ctx, View<const float> position_mm, View<float> mean_squared_distance_mm2) {
  constexpr const char* kOp = "neighbour_distances";
  require_size(kOp, "position_mm", 3 * mean_squared_distance_mm2.size(), position_mm.size());
  if (position_mm.empty()) return;
  const auto require_finite = [&](bool finite) {
    require(finite, kOp, "position_mm: expected finite positions, found NaN or infinity");
  };
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) {
      const cuda::PointSpread spread = cuda::spread_of_points(ctx, position_mm);
      require_finite(spread.finite);
      return cuda::neighbour_distances(ctx, spread.widest_axis, position_mm, mean_squared_distance_mm2);
    }
  require_finite(cpu::all_finite(ctx, position_mm));
  cpu::neighbour_distances(ctx, position_mm, mean_squared_distance_mm2);
}

}  // namespace dsasrgs
