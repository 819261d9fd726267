// SPDX-License-Identifier: Apache-2.0
#include "morton/morton.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <numeric>
#include <vector>

#include "dsasrgs/error.hpp"
#include "support/context.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;

namespace {

std::vector<std::uint32_t> order_of(Context& ctx, const std::vector<float>& position) {
  Buffer<std::uint32_t> order(ctx, position.size() / 3);
  morton_order(ctx, Buffer<float>::from_host(ctx, position), order);
  return order.to_host(ctx);
}

/// Whether point a comes before point b, cell by cell from the whole box down: the first halving that tells them apart
/// decides, along z before y before x.
bool comes_first(const float* a, const float* b) {
  double side = 1;
  double low_a[3] = {}, low_b[3] = {};
  for (int bit = 0; bit < 10; ++bit) {
    side /= 2;
    for (int axis = 2; axis >= 0; --axis) {
      const bool upper_a = a[axis] >= low_a[axis] + side, upper_b = b[axis] >= low_b[axis] + side;
      if (upper_a != upper_b) return upper_b;
      if (upper_a) low_a[axis] += side;
      if (upper_b) low_b[axis] += side;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("morton: the eight corners of a box, and the first cells of its curve", "[morton]") {
  Context ctx = test::make_context();
  CHECK(order_of(ctx, {1, 1, 1, 0, 1, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0}) ==
        std::vector<std::uint32_t>{7, 6, 5, 4, 3, 2, 1, 0});
  // Cell (x,y,z) of 1024: numbers of (2,0,0), (0,1,0), (1,1,1), (3,3,3) and (0,0,2) are 8, 2, 7, 63 and 32.
  const auto cell = [](float c) { return (c + 0.5f) / 1024; };
  std::vector<float> position;
  for (const int c : {2, 0, 0, 0, 1, 0, 1, 1, 1, 3, 3, 3, 0, 0, 2}) position.push_back(cell(static_cast<float>(c)));
  CHECK(order_of(ctx, position) == std::vector<std::uint32_t>{1, 2, 0, 4, 3});
}

TEST_CASE("morton: the order of random points is that of halving the box again and again, and is stable", "[morton]") {
  Context ctx = test::make_context();
  for (const std::size_t n : {1u, 2u, 1000u, 9001u}) {
    std::vector<float> position = test::random_values<float>(3 * n, 0, 1, 5);
    for (std::size_t i = 0; i + 30 < position.size(); i += 30)  // ten points, then the first again
      std::copy_n(position.begin() + static_cast<std::ptrdiff_t>(i), 3,
                  position.begin() + static_cast<std::ptrdiff_t>(i + 27));
    std::vector<std::uint32_t> expected(n);
    std::iota(expected.begin(), expected.end(), 0u);
    std::stable_sort(expected.begin(), expected.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return comes_first(&position[3 * a], &position[3 * b]); });
    CHECK(order_of(ctx, position) == expected);
  }
}

TEST_CASE("morton: points outside count to the nearest cell, and what is no number to the first", "[morton]") {
  Context ctx = test::make_context();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();
  CHECK(order_of(ctx, {kInf, 5, 1.5f, 0.5f, 0.5f, 0.5f, kNan, -kInf, -1, 0.9999f, 1, 1, 0, 0, 0}) ==
        std::vector<std::uint32_t>{2, 4, 1, 0, 3});
}

TEST_CASE("morton: nothing to do for no points, and each documented error", "[morton]") {
  Context ctx = test::make_context();
  CHECK_NOTHROW(morton_order(ctx, View<const float>(), View<std::uint32_t>()));
  Buffer<float> seven(ctx, 7), six(ctx, 6);
  Buffer<std::uint32_t> two(ctx, 2), three(ctx, 3);
  CHECK_THROWS_AS(morton_order(ctx, seven, two), InvalidArgument);
  CHECK_THROWS_AS(morton_order(ctx, six, three), InvalidArgument);
}

TEST_CASE("morton: CUDA and any number of threads give the CPU's order", "[morton][parity]") {
  Context one = Context::cpu(1), two = Context::cpu(2), cuda = test::make_context();
  const std::vector<float> position = test::random_values<float>(3 * 20000, -0.1f, 1.1f, 6);
  const std::vector<std::uint32_t> expected = order_of(one, position);
  if (!test::kThreadSanitized) CHECK(order_of(two, position) == expected);  // libgomp is not instrumented
  CHECK(order_of(cuda, position) == expected);
}
