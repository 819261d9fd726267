#include "neighbours/neighbours.hpp"

#include "common/require.hpp"
#include "neighbours/neighbours_cpu.hpp"

namespace dsasrgs {

void neighbour_distances(Context& ctx, View<const float> position_mm, View<float> mean_squared_distance_mm2) {
  constexpr const char* op = "neighbour_distances";
  require_size(op, "position_mm", 3 * mean_squared_distance_mm2.size(), position_mm.size());
  if (position_mm.empty()) return;
  if (ctx.backend() == Backend::cuda) throw_no_cuda(op);
  require(cpu::all_finite(ctx, position_mm), op, "position_mm: expected finite positions, found NaN or infinity");
  cpu::neighbour_distances(ctx, position_mm, mean_squared_distance_mm2);
}

}  // namespace dsasrgs
