// SPDX-License-Identifier: Apache-2.0
#include "hash_grid/hash_grid.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "dsasrgs/error.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/hash_grid_problem.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;
using Problem = test::HashGridProblem;

namespace {

/// Points along a line: neighbours in memory share cells, as sorted Gaussians do. None lies on a border of cells, where
/// the gradient jumps.
Problem along_a_line(const HashGridShape& shape, std::size_t n) {
  Problem problem(shape, n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t d = 0; d < 3; ++d)
      problem.position[3 * i + d] =
          0.1013f + 0.4f * static_cast<float>(i) / static_cast<float>(n) * static_cast<float>(d + 1);
  return problem;
}

/// Dense and hashed levels, both dimensions, numbers of points beside the vectors of 16 and the blocks of 2048.
std::vector<Problem> problems() {
  return {Problem({3, 6, 10, 4, 1.5}, 2 * 2048 + 19),
          Problem({4, 6, 10, 2, 1.4}, 2048 + 5, 0.61f),
          Problem({3, 3, 6, 1, 1.9}, 33),
          Problem({4, 4, 12, 3, 1.3}, 15, 1.0f),
          Problem({3, 2, 12, 7.3, 1.2}, 1),
          Problem({4, 5, 4, 2, 2}, 257, -3.0f),
          Problem({4, 3, 8, 1, 1}, 40, 0.0f),
          along_a_line({3, 6, 10, 4, 1.5}, 700),
          along_a_line({4, 6, 10, 2, 1.4}, 700)};
}

void describe(const Problem& problem) {
  UNSCOPED_INFO(problem.shape.dimensions << "D, " << problem.shape.levels << " levels from "
                                         << problem.shape.base_resolution << ", points " << problem.n);
}

}  // namespace

TEST_CASE("hash_grid: levels of the paper's 3D grid", "[hash_grid]") {
  const auto levels = hash_grid_levels({3, 12, 19, 8, 1.45});
  REQUIRE(levels.size() == 12);
  CHECK(levels[0].scale == 7.0f);
  CHECK(levels[0].resolution == 8);
  CHECK(levels[0].entries == 512);
  CHECK(levels[1].scale == Approx(10.6));
  CHECK(levels[1].resolution == 12);
  CHECK(levels[1].offset == 512);
  CHECK(levels[2].offset == 512 + 1728);
  CHECK(levels[6].dense);  // 74³ ≤ 2^19 < 107³
  CHECK(levels[6].resolution == 75);
  CHECK(levels[6].entries == (75 * 75 * 75 + 7) / 8 * 8);
  CHECK_FALSE(levels[7].dense);
  CHECK(levels[7].entries == 1u << 19);
  CHECK(hash_grid_num_parameters({3, 12, 19, 8, 1.45}) == 2 * (std::size_t{levels[11].offset} + (1u << 19)));
  CHECK(hash_grid_levels({3, 1, 19, 1, 1})[0].resolution == 1);
}

TEST_CASE("hash_grid: a table that is affine in the vertex gives the affine function back", "[hash_grid]") {
  Context ctx = test::make_context();
  Problem problem({4, 1, 16, 6, 1}, 500, 0.52f);
  for (float& x : problem.position) x = 0.85f * std::clamp(x, 0.0f, 1.0f);  // inside the last vertex
  for (std::uint32_t e = 0; e < 6 * 6 * 6 * 6; ++e) {
    const float x = float(e % 6), y = float(e / 6 % 6), z = float(e / 36 % 6), t = float(e / 216);
    problem.table[2 * e] = x + 10 * y + 100 * z + 1000 * t;
    problem.table[2 * e + 1] = -x;
  }
  std::fill(problem.grad_features.begin(), problem.grad_features.begin() + 500, 1.0f);
  std::fill(problem.grad_features.begin() + 500, problem.grad_features.end(), 0.5f);
  const auto features = problem.forward(ctx);
  const auto grad = problem.backward(ctx, GradientMode::overwrite).position;
  for (std::size_t i = 0; i < 500; ++i) {
    const auto at = [&](float p) { return p * 5 + 0.5f; };
    const float x = at(problem.position[3 * i]), y = at(problem.position[3 * i + 1]),
                z = at(problem.position[3 * i + 2]);
    REQUIRE(features[i] == Approx(x + 10 * y + 100 * z + 1000 * at(0.52f)).epsilon(1e-6));
    REQUIRE(features[500 + i] == Approx(-x).epsilon(1e-5));
    REQUIRE(grad[3 * i] == Approx(5 * 0.5).epsilon(1e-3));
    REQUIRE(grad[3 * i + 1] == Approx(5 * 10).epsilon(1e-3));
    REQUIRE(grad[3 * i + 2] == Approx(5 * 100).epsilon(1e-3));
  }
}

TEST_CASE("hash_grid: forward agrees with the double oracle", "[hash_grid]") {
  Context ctx = test::make_context();
  for (const Problem& problem : problems()) {
    describe(problem);
    CHECK(test::max_difference(problem.forward(ctx), problem.expected().features) < 1e-5);
  }
}

TEST_CASE("hash_grid: backward agrees with the double oracle", "[hash_grid]") {
  Context ctx = test::make_context();
  for (const Problem& problem : problems()) {
    describe(problem);
    const auto expected = problem.expected();
    const auto found = problem.backward(ctx, GradientMode::overwrite);
    CHECK(test::relative_l2(found.table, expected.grad_table) < 5e-6);
    CHECK(test::relative_l2(found.position, expected.grad_position) < 5e-6);
    for (std::size_t i = 0; i < problem.position.size(); ++i)
      if (problem.position[i] < 0 || problem.position[i] > 1) REQUIRE(found.position[i] == 0);
  }
}

TEST_CASE("hash_grid: the full-size grids of the method agree with the double oracle", "[hash_grid]") {
  Context ctx = test::make_context();
  for (const Problem& problem : {Problem({3, 12, 19, 8, 1.45}, 300), Problem({4, 12, 19, 2, 1.4}, 300, 0.83f)}) {
    describe(problem);
    const auto expected = problem.expected();
    const auto found = problem.backward(ctx, GradientMode::overwrite);
    CHECK(test::relative_l2(problem.forward(ctx), expected.features) < 2e-5);
    CHECK(test::relative_l2(found.table, expected.grad_table) < 2e-5);
    CHECK(test::relative_l2(found.position, expected.grad_position) < 2e-5);
  }
}

TEST_CASE("hash_grid: the gradient of the table is the adjoint of encoding", "[hash_grid]") {
  Context ctx = test::make_context();
  for (const Problem& problem : problems()) {
    describe(problem);
    const auto features = problem.forward(ctx), grad = problem.backward(ctx, GradientMode::overwrite).table;
    const double scale = std::sqrt(test::inner_product(features, features) *
                                   test::inner_product(problem.grad_features, problem.grad_features));
    CHECK(std::abs(test::inner_product(features, problem.grad_features) - test::inner_product(problem.table, grad)) <
          1e-6 * scale);
  }
}

TEST_CASE("hash_grid: gradients of the table are added, those of positions follow the mode or are skipped",
          "[hash_grid]") {
  Context ctx = test::make_context();
  for (const Problem& problem : problems()) {
    describe(problem);
    const auto plain = problem.backward(ctx, GradientMode::overwrite);
    const auto over = problem.backward(ctx, GradientMode::overwrite, 2);
    const auto added = problem.backward(ctx, GradientMode::accumulate, 2);
    const auto skipped = problem.backward(ctx, GradientMode::overwrite, 0, false);
    CHECK(over.position == plain.position);
    CHECK(skipped.table == plain.table);
    CHECK(over.table == added.table);
    for (std::size_t i = 0; i < plain.position.size(); ++i)
      REQUIRE(added.position[i] == Approx(2 + plain.position[i]).epsilon(1e-5).margin(1e-5));
    for (std::size_t i = 0; i < plain.table.size(); ++i)
      REQUIRE(over.table[i] == Approx(2 + plain.table[i]).epsilon(1e-5).margin(1e-4));
  }
}

TEST_CASE("hash_grid: same bits for 1 and 2 threads", "[hash_grid]") {
  Context one = test::make_context(1), two = test::make_context(2);
  for (const Problem& problem : {Problem({3, 8, 12, 8, 1.45}, 5001), Problem({4, 8, 12, 2, 1.4}, 5001)}) {
    describe(problem);
    CHECK(problem.forward(one) == problem.forward(two));
    const auto a = problem.backward(one, GradientMode::overwrite), b = problem.backward(two, GradientMode::overwrite);
    CHECK(a.table == b.table);
    CHECK(a.position == b.position);
  }
}

TEST_CASE("hash_grid: a gradient that is not finite shows in its entries and in no others", "[hash_grid]") {
  Context ctx = test::make_context();
  Problem problem({3, 3, 10, 4, 1.6}, 40);
  const auto plain = problem.backward(ctx, GradientMode::overwrite);
  problem.grad_features[2 * 40 + 7] = std::numeric_limits<float>::quiet_NaN();  // level 1, feature 0, point 7
  const auto spoilt = problem.backward(ctx, GradientMode::overwrite);
  const auto levels = hash_grid_levels(problem.shape);
  int spoilt_entries = 0;
  for (std::size_t i = 0; i < plain.table.size(); ++i) {
    if (spoilt.table[i] == Approx(plain.table[i]).margin(1e-6)) continue;
    REQUIRE(std::isnan(spoilt.table[i]));
    REQUIRE((i % 2 == 0 && i / 2 >= levels[1].offset && i / 2 < levels[2].offset));
    ++spoilt_entries;
  }
  CHECK((spoilt_entries >= 1 && spoilt_entries <= 8));
  CHECK(std::isnan(spoilt.position[3 * 7 + 1]));
}

TEST_CASE("hash_grid: the gradient of the table keeps its digits at any scale", "[hash_grid]") {
  Context ctx = test::make_context();
  for (const float scale : {1e-30f, 1e-20f, 1e20f, 1e34f}) {
    Problem problem({3, 4, 10, 4, 1.6}, 300);
    for (std::size_t i = 0; i < problem.grad_features.size(); ++i)
      problem.grad_features[i] *= scale * (i / 600 % 2 == 0 ? 1.0f : 1e-3f);  // each level has its own
    const auto expected = problem.expected();
    CAPTURE(scale);
    CHECK(test::relative_l2(problem.backward(ctx, GradientMode::overwrite).table, expected.grad_table) < 1e-6);
  }
}

TEST_CASE("hash_grid: CUDA agrees with the CPU", "[hash_grid][parity]") {
  Context cpu = Context::cpu(1), cuda = test::make_context();
  HashGridScratch scratch;  // one for all: grown and left clean by each call
  std::vector<Problem> all = problems();
  all.emplace_back(HashGridShape{3, 35, 8, 2, 1.2}, 300);  // more levels than one launch takes
  all.emplace_back(HashGridShape{4, 8, 12, 2, 1.4}, 1);
  all.push_back(along_a_line({3, 10, 12, 4, 1.45}, 1000));
  double features = 0, table = 0, position = 0;
  for (const Problem& problem : all) {
    describe(problem);
    features = std::max(features, test::relative_l2(problem.forward(cuda), problem.forward(cpu)));
    for (const GradientMode mode : {GradientMode::overwrite, GradientMode::accumulate}) {
      const auto expected = problem.backward(cpu, mode, 0.25f);
      const auto found = problem.backward(cuda, mode, 0.25f, true, scratch);
      table = std::max(table, test::relative_l2(found.table, expected.table));
      position = std::max(position, test::relative_l2(found.position, expected.position));
      if (mode == GradientMode::accumulate) continue;
      const auto again = problem.backward(cuda, mode, 0.25f, true, scratch);
      CHECK(again.table == found.table);
      CHECK(again.position == found.position);
    }
  }
  CAPTURE(features, table, position);
  CHECK(features < 2e-6);
  CHECK(table < 3e-6);  // of the fractions, times the finest resolution of 985
  CHECK(position < 5e-6);
}

TEST_CASE("hash_grid: positions that are not numbers stay inside the table", "[hash_grid]") {
  Context ctx = test::make_context();
  for (const int dimensions : {3, 4}) {
    Problem problem({dimensions, 3, 12, 3, 1.6}, 20, std::numeric_limits<float>::quiet_NaN());
    problem.position[4] = problem.time;
    problem.position[9] = std::numeric_limits<float>::infinity();
    problem.position[14] = -std::numeric_limits<float>::infinity();
    const auto features = problem.forward(ctx), grad = problem.backward(ctx, GradientMode::overwrite).position;
    CHECK(std::all_of(features.begin(), features.end(), [](float x) { return std::abs(x) <= 1; }));
    CHECK((grad[4] == 0 && grad[9] == 0 && grad[14] == 0));
  }
}

TEST_CASE("hash_grid: nothing to do for no points, and each documented error", "[hash_grid]") {
  Context ctx = test::make_context();
  const HashGridShape shape{3, 2, 8, 2, 1.5};
  auto table = Buffer<float>::zeros(ctx, hash_grid_num_parameters(shape)), position = Buffer<float>::zeros(ctx, 9),
       features = Buffer<float>::zeros(ctx, 12), wrong = Buffer<float>::zeros(ctx, 7);
  const View<float> none;
  CHECK_NOTHROW(hash_grid_forward(ctx, {shape, none, 0, table}, none));
  HashGridScratch scratch;
  CHECK_NOTHROW(hash_grid_backward(ctx, {shape, none, 0, table}, none, {none}, scratch));
  hash_grid_take_gradient(ctx, scratch, 0, table);
  CHECK(table.to_host(ctx) == std::vector<float>(table.size(), 0.0f));
  CHECK_NOTHROW(hash_grid_forward(ctx, std::span<const HashGridInput>(), none));
  CHECK_NOTHROW(hash_grid_backward(ctx, std::span<const HashGridInput>(), none, {none}, scratch));

  CHECK_NOTHROW(hash_grid_forward(ctx, {shape, position, 0, table}, features));
  CHECK_THROWS_AS(hash_grid_forward(ctx, {shape, wrong, 0, table}, features), InvalidArgument);
  CHECK_THROWS_AS(hash_grid_forward(ctx, {shape, position, 0, wrong}, features), InvalidArgument);
  CHECK_THROWS_AS(hash_grid_forward(ctx, {shape, position, 0, table}, wrong), InvalidArgument);
  const auto back = [&](View<const float> p, View<const float> t, View<const float> g, View<float> gp) {
    hash_grid_backward(ctx, {shape, p, 0, t}, g, {gp}, scratch);
  };
  CHECK_NOTHROW(back(position, table, features, position));
  CHECK_THROWS_AS(back(wrong, table, features, position), InvalidArgument);
  CHECK_THROWS_AS(back(position, wrong, features, position), InvalidArgument);
  CHECK_THROWS_AS(back(position, table, wrong, position), InvalidArgument);
  CHECK_THROWS_AS(back(position, table, features, wrong), InvalidArgument);
  CHECK_THROWS_AS(hash_grid_take_gradient(ctx, scratch, 0, wrong), InvalidArgument);
  CHECK_THROWS_AS(hash_grid_take_gradient(ctx, scratch, 1, table), InvalidArgument);
  CHECK_THROWS_AS(hash_grid_take_gradient(ctx, scratch, table.size(), table), InvalidArgument);
  const HashGridInput here{shape, position, 0, table};
  HashGridInput elsewhere = here, other_box = here;
  auto moved = Buffer<float>::zeros(ctx, 9), twice = Buffer<float>::zeros(ctx, 24);
  elsewhere.position = moved;
  other_box.box.origin[1] = 1;
  CHECK_NOTHROW(hash_grid_forward(ctx, std::array{here, here}, twice));
  CHECK_THROWS_AS(hash_grid_forward(ctx, std::array{here, elsewhere}, twice), InvalidArgument);
  CHECK_THROWS_AS(hash_grid_forward(ctx, std::array{here, other_box}, twice), InvalidArgument);
  auto longer = Buffer<float>::zeros(ctx, table.size() + 1);
  const View<float> unaligned = longer.view().subview(1, table.size());
  CHECK_THROWS_AS(hash_grid_forward(ctx, {shape, position, 0, unaligned}, features), InvalidArgument);
  CHECK_THROWS_AS(back(position, unaligned, features, position), InvalidArgument);
  CHECK_THROWS_AS(hash_grid_take_gradient(ctx, scratch, 0, longer.view().subview(1, table.size())), InvalidArgument);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const HashGridShape& bad :
       {HashGridShape{2, 2, 8, 2, 1.5}, HashGridShape{5, 2, 8, 2, 1.5}, HashGridShape{3, 0, 8, 2, 1.5},
        HashGridShape{3, 2, 3, 2, 1.5}, HashGridShape{3, 2, 29, 2, 1.5}, HashGridShape{3, 2, 8, 0.9, 1.5},
        HashGridShape{3, 2, 8, 2, 0.9}, HashGridShape{3, 2, 8, nan, 1.5}, HashGridShape{3, 2, 8, 2, nan},
        HashGridShape{3, 30, 19, 8, 2}, HashGridShape{3, 20, 28, 8000, 1}})
    CHECK_THROWS_AS(hash_grid_levels(bad), InvalidArgument);
}
