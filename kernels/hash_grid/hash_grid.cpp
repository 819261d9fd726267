// SPDX-License-Identifier: Apache-2.0
#include "hash_grid/hash_grid.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

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

bool is_same(View<const float> a, View<const float> b) { return a.data() == b.data() && a.size() == b.size(); }

/// Checks the grids and the size of the features or their gradient. The first float of each level, tables behind one
/// another, and the end of the last.
HostVector<std::size_t> check(const char* op, std::span<const HashGridInput> grids, const char* what,
                              std::size_t num_features) {
  HostVector<std::size_t> begin{0};
  for (const HashGridInput& in : grids) {
    const auto levels = hash_grid_levels(in.shape);
    require_size(op, "table", table_size(levels.back()), in.table.size());
    require_aligned(op, "table", in.table.data());
    require(is_same(in.position, grids[0].position) && in.box == grids[0].box, op,
            "position, box: expected those of the first grid, found others");
    const std::size_t first = begin.back();
    for (const HashGridLevel& level : levels)
      begin.push_back(first + (std::size_t{level.offset} + level.entries) * kHashFeatures);
  }
  const std::size_t n = grids.empty() ? 0 : require_rows(op, "position", 3, grids[0].position.size());
  require_size(op, what, size_product((begin.size() - 1) * kHashFeatures, n), num_features);
  return begin;
}

/// Room for the gradients of the tables, zero where it is new.
void fit(Context& ctx, HostVector<std::size_t> level_begin, HashGridScratch& scratch) {
  scratch.level_begin = std::move(level_begin);
  const std::size_t levels = scratch.level_begin.size() - 1, floats = scratch.level_begin.back();
  if (ctx.backend() == Backend::cpu) {
    if (scratch.table.size() < floats) scratch.table = Buffer<float>::zeros(ctx, floats);
    return;
  }
  if (scratch.table_sums.size() < floats) scratch.table_sums = Buffer<long long>::zeros(ctx, floats);
  if (scratch.unit.size() < levels) {
    scratch.unit = Buffer<float>::zeros(ctx, levels);
    scratch.largest_gradient = Buffer<unsigned>::zeros(ctx, 2 * levels);
  }
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

WaitingGradient HashGridScratch::level(std::size_t l) {
  const std::size_t begin = level_begin[l], size = level_begin[l + 1] - begin;
  if (table_sums.size() == 0) return table.view().subview(begin, size);
  return {table_sums.view().subview(begin, size), std::as_const(unit).view().subview(l, 1)};
}

void hash_grid_forward(Context& ctx, std::span<const HashGridInput> grids, View<float> features) {
  check("hash_grid_forward", grids, "features", features.size());
  if (features.empty()) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::hash_grid_forward(ctx, grids, features);
  cpu::hash_grid_forward(ctx, grids, features);
}

void hash_grid_backward(Context& ctx, std::span<const HashGridInput> grids, View<const float> grad_features,
                        const HashGridGradient& gradient, HashGridScratch& scratch) {
  constexpr const char* kOp = "hash_grid_backward";
  HostVector<std::size_t> level_begin = check(kOp, grids, "grad_features", grad_features.size());
  if (!gradient.position.empty())
    require_size(kOp, "gradient position", grids.empty() ? 0 : grids[0].position.size(), gradient.position.size());
  fit(ctx, std::move(level_begin), scratch);
  if (grad_features.empty()) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::hash_grid_backward(ctx, grids, grad_features, gradient, scratch);
  cpu::hash_grid_backward(ctx, grids, grad_features, gradient, scratch);
}

void hash_grid_take_gradient(Context& ctx, HashGridScratch& scratch, std::size_t first, View<float> gradient) {
  constexpr const char* kOp = "hash_grid_take_gradient";
  const auto level_at = [&](const char* what, std::size_t number) {
    const auto& begin = scratch.level_begin;
    const auto found = std::lower_bound(begin.begin(), begin.end(), number);
    require(found != begin.end() && *found == number, kOp, what,
            ": expected where a level of the last backward pass begins or ends, found float ", number);
    return static_cast<std::size_t>(found - begin.begin());
  };
  const std::size_t first_level = level_at("first", first), end = level_at("gradient", first + gradient.size());
  if (gradient.empty()) return;
  require_aligned(kOp, "gradient", gradient.data());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::hash_grid_take_gradient(ctx, scratch, first_level, end, gradient);
  cpu::hash_grid_take_gradient(ctx, scratch, first_level, end, gradient);
}

}  // namespace dsasrgs
