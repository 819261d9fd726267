// SPDX-License-Identifier: Apache-2.0
#include "hash_grid/hash_grid.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "common/checks.hpp"
#include "common/has_cuda.hpp"
#include "common/host_vector.hpp"
#include "hash_grid/hash_grid_bodies.hpp"

namespace dsasrgs {
namespace {

std::size_t table_size(const HashGridLevel& last) { return (std::size_t{last.offset} + last.entries) * kHashFeatures; }

void require_aligned(const char* op, const char* what, const float* p) {
  require(reinterpret_cast<std::uintptr_t>(p) % (kHashFeatures * sizeof(float)) == 0, op, what,
          ": expected memory aligned to 8 bytes");
}

/// Checks the input and the size of the features or their gradient.
void check(const char* op, const HashGridInput& in, const char* what, std::size_t num_features) {
  const auto levels = hash_grid_levels(in.shape);
  const std::size_t n = require_rows(op, "position", 3, in.position.size());
  require_size(op, "table", table_size(levels.back()), in.table.size());
  require_aligned(op, "table", in.table.data());
  require_size(op, what, size_product(levels.size() * kHashFeatures, n), num_features);
}

}  // namespace

HostVector<HashGridLevel> hash_grid_levels(const HashGridShape& shape) {
  constexpr const char* kOp = "hash_grid_levels";
  constexpr int kMostLevels = 128;            // as many as an mlp of 256 inputs takes
  constexpr double kMaxResolution = 1 << 23;  // beyond it position·scale + 0.5 is not exact in float
  require_count(kOp, "shape.dimensions", shape.dimensions, 3, 4);
  require_count(kOp, "shape.levels", shape.levels, 1, kMostLevels);
  require_count(kOp, "shape.log2_entries", shape.log2_entries, 4, 28);
  require_at_least(kOp, "shape.base_resolution", shape.base_resolution, 1);
  require_at_least(kOp, "shape.growth", shape.growth, 1);

  const double most_entries = std::ldexp(1.0, shape.log2_entries);
  HostVector<HashGridLevel> levels;
  double offset = 0;
  for (int l = 0; l < shape.levels; ++l) {
    const double scale = shape.base_resolution * std::pow(shape.growth, l) - 1;
    require(scale < kMaxResolution, kOp, "shape.base_resolution·growth^", l, ": expected at most 8388608, found ",
            scale + 1);
    HashGridLevel level;
    level.scale = static_cast<float>(scale);
    level.resolution = static_cast<std::uint32_t>(std::ceil(level.scale)) + 1;
    const double vertices = std::pow(double(level.resolution), shape.dimensions);
    level.entries = static_cast<std::uint32_t>(std::min(std::ceil(vertices / 8) * 8, most_entries));
    level.dense = vertices <= level.entries;
    level.offset = static_cast<std::uint32_t>(offset);
    offset += level.entries;
    require(offset <= std::numeric_limits<std::uint32_t>::max(), kOp,
            "shape.levels·entries: expected at most 4294967295 entries in all, found more");
    levels.push_back(level);
  }
  return levels;
}

std::size_t hash_grid_num_parameters(const HashGridShape& shape) { return table_size(hash_grid_levels(shape).back()); }

void hash_grid_forward(Context& ctx, const HashGridInput& in, View<float> features) {
  check("hash_grid_forward", in, "features", features.size());
  if (in.position.empty()) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::hash_grid_forward(ctx, in, features);
  cpu::hash_grid_forward(ctx, in, features);
}

void hash_grid_backward(Context& ctx, const HashGridInput& in, View<const float> grad_features,
                        const HashGridGradient& gradient, HashGridScratch& scratch) {
  constexpr const char* kOp = "hash_grid_backward";
  check(kOp, in, "grad_features", grad_features.size());
  require_size(kOp, "gradient table", in.table.size(), gradient.table.size());
  require_aligned(kOp, "gradient table", gradient.table.data());
  if (!gradient.position.empty()) require_size(kOp, "gradient position", in.position.size(), gradient.position.size());
  if (in.position.empty()) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::hash_grid_backward(ctx, in, grad_features, gradient, scratch);
  cpu::hash_grid_backward(ctx, in, grad_features, gradient, scratch);
}

}  // namespace dsasrgs
