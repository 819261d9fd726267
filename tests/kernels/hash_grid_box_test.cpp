// SPDX-License-Identifier: Apache-2.0
// Several hash grids over the same points, in a box of any unit.

#include <catch2/catch.hpp>
#include <vector>

#include "adam/adam.hpp"
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

TEST_CASE("hash_grid: grids in a box and the update of their tables, CUDA agrees with the CPU", "[hash_grid][parity]") {
  const std::vector<Problem> all{Problem({3, 6, 10, 4, 1.5}, 700), Problem({4, 6, 10, 2, 1.4}, 700, 0.61f)};
  struct Result {
    std::vector<float> features, position;
    std::vector<std::vector<float>> tables, first_moments;
  };
  const auto on = [&](Context ctx, AdamMode mode) {
    UnitBox box;
    for (std::size_t d = 0; d < 3; ++d) {
      box.origin[d] = -0.5f + static_cast<float>(d);
      box.inverse_extent[d] = 0.25f * static_cast<float>(1 + d);
    }
    std::vector<float> points, grad_features;
    for (std::size_t i = 0; i < all[0].position.size(); ++i)
      points.push_back(box.origin[i % 3] + all[0].position[i] / box.inverse_extent[i % 3]);
    const auto p = Buffer<float>::from_host(ctx, points);
    std::vector<Buffer<float>> tables, first, second;
    std::vector<HashGridInput> grids;
    for (const Problem& problem : all) {
      tables.push_back(Buffer<float>::from_host(ctx, problem.table));
      first.push_back(Buffer<float>::zeros(ctx, problem.table.size()));
      second.push_back(Buffer<float>::zeros(ctx, problem.table.size()));
      grids.push_back({problem.shape, p, problem.time, tables.back(), box});
      grad_features.insert(grad_features.end(), problem.grad_features.begin(), problem.grad_features.end());
    }
    const auto g = Buffer<float>::from_host(ctx, grad_features);
    Buffer<float> features(ctx, grad_features.size());
    auto position = Buffer<float>::from_host(ctx, std::vector<float>(points.size(), 0.5f));
    HashGridScratch scratch;
    for (int t = 1; t <= 3; ++t) {
      hash_grid_forward(ctx, grids, features);
      hash_grid_backward(ctx, grids, g, {position, GradientMode::accumulate}, scratch);
      AdamStep step;
      step.step = t;
      step.mode = mode;
      step.weight_decay = 0.01f;
      std::vector<AdamArray> arrays;
      for (std::size_t k = 0, level = 0; k < all.size(); ++k)
        for (std::size_t begin = 0; begin < tables[k].size(); ++level) {
          const WaitingGradient gradient = scratch.level(level);
          const auto part = [&](Buffer<float>& b) { return b.view().subview(begin, gradient.size()); };
          arrays.push_back({step, {part(tables[k]), gradient, part(first[k]), part(second[k])}});
          begin += gradient.size();
        }
      adam_update(ctx, arrays);
    }
    Result r{features.to_host(ctx), position.to_host(ctx), {}, {}};
    for (std::size_t k = 0; k < all.size(); ++k) {
      r.tables.push_back(tables[k].to_host(ctx));
      r.first_moments.push_back(first[k].to_host(ctx));
    }
    return r;
  };
  for (const AdamMode mode : {AdamMode::dense, AdamMode::sparse}) {
    const Result expected = on(Context::cpu(1), mode), found = on(test::make_context(), mode);
    CHECK(test::relative_l2(found.features, expected.features) < 2e-6);
    CHECK(test::relative_l2(found.position, expected.position) < 5e-6);
    for (std::size_t k = 0; k < all.size(); ++k) {
      CHECK(test::relative_l2(found.tables[k], expected.tables[k]) < 3e-6);
      CHECK(test::relative_l2(found.first_moments[k], expected.first_moments[k]) < 3e-6);
    }
  }
}
