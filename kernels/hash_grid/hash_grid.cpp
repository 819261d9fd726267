#include "hash_grid/hash_grid.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "common/has_cuda.hpp"
#include "common/require.hpp"
#include "hash_grid/hash_grid_bodies.hpp"

namespace dsasrgs {
namespace {

/// Checks all sizes but those of the gradients; returns the levels.
std::vector<HashGridLevel> checked_levels(const char* op, const HashGridShape& shape, const HashGridInput& input) {
  const std::size_t n = input.position.size() / 3;
  require_size(op, "position", 3 * n, input.position.size());
  require_size(op, "table", hash_grid_num_parameters(shape), input.table.size());
  return hash_grid_levels(shape);
}

}  // namespace

std::vector<HashGridLevel> hash_grid_levels(const HashGridShape& shape) {
  constexpr const char* kOp = "hash_grid_levels";
  constexpr double kMaxResolution = 1 << 23;  // beyond it position·scale + 0.5 is not exact in float
  require(shape.dimensions == 3 || shape.dimensions == 4, kOp,
          "dimensions: expected 3 or 4, found " + std::to_string(shape.dimensions));
  require(shape.levels >= 1, kOp, "levels: expected 1 or more, found " + std::to_string(shape.levels));
  require(shape.log2_entries >= 4 && shape.log2_entries <= 28, kOp,
          "log2_entries: expected 4 to 28, found " + std::to_string(shape.log2_entries));
  require(shape.base_resolution >= 1, kOp,
          "base_resolution: expected 1 or more, found " + std::to_string(shape.base_resolution));
  require(shape.growth >= 1, kOp, "growth: expected 1 or more, found " + std::to_string(shape.growth));

  const double most_entries = std::ldexp(1.0, shape.log2_entries);
  std::vector<HashGridLevel> levels;
  double offset = 0;
  for (int l = 0; l < shape.levels; ++l) {
    const double scale = shape.base_resolution * std::pow(shape.growth, l) - 1;
    require(scale < kMaxResolution, kOp,
            "base_resolution·growth^" + std::to_string(l) + ": expected at most 8388608, found " +
                std::to_string(scale + 1));
    HashGridLevel level;
    level.scale = static_cast<float>(scale);
    level.resolution = static_cast<std::uint32_t>(std::ceil(level.scale)) + 1;
    const double vertices = std::pow(double(level.resolution), shape.dimensions);
    level.entries = static_cast<std::uint32_t>(std::min(std::ceil(vertices / 8) * 8, most_entries));
    level.dense = vertices <= level.entries;
    level.offset = static_cast<std::uint32_t>(offset);
    offset += level.entries;
    require(offset <= std::numeric_limits<std::uint32_t>::max(), kOp,
            "levels·entries: expected at most 4294967295 entries in all, found more");
    levels.push_back(level);
  }
  return levels;
}

std::size_t hash_grid_num_parameters(const HashGridShape& shape) {
  const HashGridLevel last = hash_grid_levels(shape).back();
  return (std::size_t{last.offset} + last.entries) * kHashFeatures;
}

void hash_grid_forward(Context& ctx, const HashGridShape& shape, const HashGridInput& input, View<float> features) {
  constexpr const char* kOp = "hash_grid_forward";
  const auto levels = checked_levels(kOp, shape, input);
  const std::size_t n = input.position.size() / 3;
  require_size(kOp, "features", levels.size() * kHashFeatures * n, features.size());
  if (n == 0) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::hash_grid_forward(ctx, shape.dimensions, levels, input, features);
  cpu::hash_grid_forward(ctx, shape.dimensions, levels, input, features);
}

void hash_grid_backward(Context& ctx, const HashGridShape& shape, const HashGridInput& input,
                        View<const float> grad_features, View<float> grad_table, GradientMode mode,
                        View<float> grad_position, HashGridScratch& scratch, GradientSum sum) {
  constexpr const char* kOp = "hash_grid_backward";
  const auto levels = checked_levels(kOp, shape, input);
  const std::size_t n = input.position.size() / 3;
  require_size(kOp, "grad_features", levels.size() * kHashFeatures * n, grad_features.size());
  require_size(kOp, "grad_table", input.table.size(), grad_table.size());
  if (!grad_position.empty()) require_size(kOp, "grad_position", 3 * n, grad_position.size());
  if (n == 0) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda)
      return cuda::hash_grid_backward(ctx, shape.dimensions, levels, input, grad_features, grad_table, mode,
                                      grad_position, scratch, sum);
  cpu::hash_grid_backward(ctx, shape.dimensions, levels, input, grad_features, grad_table, mode, grad_position);
}

}  // namespace dsasrgs
