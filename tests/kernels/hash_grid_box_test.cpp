// SPDX-License-Identifier: Apache-2.0
// Several hash grids over the same points, in a box of any unit.

#include <catch2/catch.hpp>
#include <vector>

#include "hash_grid/hash_grid.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/hash_grid_problem.hpp"

using namespace dsasrgs;
using Problem = test::HashGridProblem;

TEST_CASE("hash_grid: grids over the same points in a box agree with the double oracle", "[hash_grid]") {
  Context ctx = test::make_context();
  const VolumeGrid volume{40, 50, 20, {1, 2, 1.5}, {-18, -50, 7}};
  // More levels together than one launch takes, dense and hashed, of three and four dimensions.
  const std::vector<Problem> all{Problem({4, 9, 10, 2, 1.3}, 411, 0.61f), Problem({3, 6, 10, 4, 1.5}, 411),
                                 Problem({3, 20, 7, 2, 1.1}, 411)};
  const auto unit = all[0].position;
  std::vector<float> position;
  for (std::size_t i = 0; i < unit.size(); ++i) {
    const Vec3d from = volume.origin_mm, side = volume.extent_mm();
    const double origin[3] = {from.x, from.y, from.z}, extent[3] = {side.x, side.y, side.z};
    position.push_back(static_cast<float>(origin[i % 3] + extent[i % 3] * static_cast<double>(unit[i])));
  }
  const UnitBox box(volume);
  std::vector<double> seen;  // what single precision makes of them
  for (std::size_t i = 0; i < unit.size(); ++i) seen.push_back(to_unit(box, i % 3, position[i]));

  const auto p = Buffer<float>::from_host(ctx, position);
  std::vector<Buffer<float>> tables;
  std::vector<HashGridInput> grids;
  std::vector<float> grad_features;
  std::vector<double> features, grad_table, grad_position(unit.size());
  for (const Problem& problem : all) {
    tables.push_back(Buffer<float>::from_host(ctx, problem.table));
    grids.push_back({problem.shape, p, problem.time, tables.back(), box});
    grad_features.insert(grad_features.end(), problem.grad_features.begin(), problem.grad_features.end());
    oracle::HashGrid o = problem.oracle_of();
    o.run(seen, double(problem.time), {problem.grad_features.begin(), problem.grad_features.end()});
    features.insert(features.end(), o.features.begin(), o.features.end());
    grad_table.insert(grad_table.end(), o.grad_table.begin(), o.grad_table.end());
    for (std::size_t i = 0; i < unit.size(); ++i)
      grad_position[i] += o.grad_position[i] * static_cast<double>(box.inverse_extent[i % 3]);
  }
  Buffer<float> found(ctx, features.size());
  hash_grid_forward(ctx, grids, found);
  CHECK(test::max_difference(found.to_host(ctx), features) < 1e-5);

  const auto g = Buffer<float>::from_host(ctx, grad_features);
  HashGridScratch scratch;
  for (const float before : {0.0f, 0.5f}) {
    auto gp = Buffer<float>::from_host(ctx, std::vector<float>(unit.size(), before)),
         gt = Buffer<float>::zeros(ctx, grad_table.size());
    hash_grid_backward(ctx, grids, g, {gp, before == 0 ? GradientMode::overwrite : GradientMode::accumulate}, scratch);
    hash_grid_take_gradient(ctx, scratch, 0, gt);
    CHECK(test::relative_l2(gt.to_host(ctx), grad_table) < 5e-6);
    std::vector<double> expected = grad_position;
    for (double& x : expected) x += static_cast<double>(before);
    CHECK(test::relative_l2(gp.to_host(ctx), expected) < 5e-6);
  }
  // Levels taken one by one, from the middle on.
  hash_grid_backward(ctx, grids, g, {}, scratch);
  const std::size_t first = scratch.level_begin[4], middle = scratch.level_begin[5], end = scratch.level_begin[30];
  auto level = Buffer<float>::zeros(ctx, middle - first), rest = Buffer<float>::zeros(ctx, end - middle);
  hash_grid_take_gradient(ctx, scratch, first, level);
  hash_grid_take_gradient(ctx, scratch, middle, rest);
  const auto part = [&](std::size_t from, std::size_t to) {
    return std::vector<double>(grad_table.begin() + static_cast<long>(from),
                               grad_table.begin() + static_cast<long>(to));
  };
  CHECK(test::relative_l2(level.to_host(ctx), part(first, middle)) < 5e-6);
  CHECK(test::relative_l2(rest.to_host(ctx), part(middle, end)) < 5e-6);
}
