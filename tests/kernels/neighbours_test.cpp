#include "neighbours/neighbours.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "dsasrgs/error.hpp"
#include "oracle/neighbours_oracle.hpp"
#include "support/context.hpp"
#include "support/random_values.hpp"

namespace dsasrgs {
namespace {

using Catch::Matchers::Contains;

std::vector<float> run(Context& ctx, const std::vector<float>& position) {
  const Buffer<float> in = Buffer<float>::from_host(ctx, position);
  Buffer<float> out = Buffer<float>::from_host(ctx, std::vector<float>(position.size() / 3, -1.0f));
  neighbour_distances(ctx, in, out);
  return out.to_host(ctx);
}
std::vector<float> run(const std::vector<float>& position, int threads = 2) {
  Context ctx = test::make_context(threads);
  return run(ctx, position);
}

void check_against_oracle(const std::vector<float>& position) {
  const std::vector<float> found = run(position);
  const std::vector<double> expected = test::oracle_neighbour_distances(position);
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    if (found[i] != Approx(expected[i]).epsilon(1e-6).margin(0))
      FAIL(i << ": " << found[i] << " is not " << expected[i]);
}

/// Points along a wandering curve, with a few far away: as uneven as vessels.
std::vector<float> curve(std::size_t n) {
  std::vector<float> p;
  const std::vector<float> noise = test::random_values(3 * n, -0.2f, 0.2f, 3);
  for (std::size_t i = 0; i < n; ++i) {
    const float t = static_cast<float>(i) / static_cast<float>(n);
    p.push_back(40 * std::cos(9 * t) + noise[3 * i]);
    p.push_back(40 * std::sin(7 * t) + noise[3 * i + 1]);
    p.push_back(i % 500 == 0 ? 4000.0f : 90 * t * t + noise[3 * i + 2]);
  }
  return p;
}

}  // namespace

TEST_CASE("neighbours: a lattice has its spacing squared", "[neighbours]") {
  std::vector<float> p;
  for (int z = 0; z < 9; ++z)
    for (int y = 0; y < 8; ++y)
      for (int x = 0; x < 7; ++x)
        p.insert(p.end(), {0.5f * static_cast<float>(x), 0.5f * static_cast<float>(y), 0.5f * static_cast<float>(z)});
  // Every point, corners too, has three neighbours one step away.
  CHECK(run(p) == std::vector<float>(p.size() / 3, 0.25f));
}

TEST_CASE("neighbours: three different distances are averaged as squares", "[neighbours]") {
  const std::vector<float> found = run({0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 50, 50, 50});
  CHECK(found[0] == Approx((1.0 + 4.0 + 9.0) / 3));
}

TEST_CASE("neighbours: the result agrees with every pair", "[neighbours]") {
  SECTION("uniform") { check_against_oracle(test::random_values(3 * 3001, -10.0f, 10.0f, 1)); }
  SECTION("along a curve") { check_against_oracle(curve(4000)); }
  SECTION("many on a few coordinates, so with ties and duplicates") {
    std::vector<float> p = test::random_values(3 * 1500, 0.0f, 6.0f, 2);
    for (float& v : p) v = std::floor(v);
    check_against_oracle(p);
  }
  SECTION("all in one plane") {
    std::vector<float> p = test::random_values(3 * 900, -1.0f, 1.0f, 4);
    for (std::size_t i = 2; i < p.size(); i += 3) p[i] = 5;
    check_against_oracle(p);
  }
  SECTION("around the size of a leaf") {
    for (std::size_t n = 4; n < 40; ++n) check_against_oracle(test::random_values(3 * n, -1.0f, 1.0f, 5));
  }
}

TEST_CASE("neighbours: coincident points are at distance zero", "[neighbours]") {
  CHECK(run(std::vector<float>(3 * 100, 2.5f)) == std::vector<float>(100, 0.0f));
}

TEST_CASE("neighbours: with fewer than four points, those there are", "[neighbours]") {
  CHECK(run({}).empty());
  CHECK(run({1, 2, 3}) == std::vector<float>{0});
  CHECK(run({0, 0, 0, 0, 3, 4}) == std::vector<float>{25, 25});
  CHECK(run({0, 0, 0, 2, 0, 0, 6, 0, 0}) == std::vector<float>{20, 10, 26});
}

TEST_CASE("neighbours: the result has the same bits for any number of threads", "[neighbours]") {
  const std::vector<float> p = curve(9001);
  const std::vector<float> one = run(p, 1);
  CHECK(one == run(p, 2));
  CHECK(one == run(p, 3));
}

TEST_CASE("neighbours: wrong arguments are refused", "[neighbours]") {
  Context ctx = test::make_context();
  const Buffer<float> seven = Buffer<float>::zeros(ctx, 7);
  Buffer<float> out(ctx, 2);
  CHECK_THROWS_AS(neighbour_distances(ctx, seven, out), InvalidArgument);
  CHECK_THROWS_WITH(neighbour_distances(ctx, seven, out), Contains("position_mm: expected 6 elements, found 7"));
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const Buffer<float> p = Buffer<float>::from_host(ctx, std::vector<float>{0, 1, 2, 3, bad, 5});
    CHECK_THROWS_WITH(neighbour_distances(ctx, p, out), Contains("finite"));
  }
}

TEST_CASE("neighbours: CUDA agrees with the CPU", "[neighbours][parity]") {
  Context cpu = Context::cpu(1), other = test::make_context();
  const auto check = [&](const std::vector<float>& position) {
    const std::vector<float> expected = run(cpu, position), found = run(other, position);
    REQUIRE(found.size() == expected.size());
    double worst = 0;
    for (std::size_t i = 0; i < found.size(); ++i)
      if (found[i] != expected[i]) worst = std::max(worst, std::abs(static_cast<double>(found[i]) / expected[i] - 1));
    CHECK(worst < 5e-7);
  };
  for (const std::size_t n : {0, 1, 2, 3, 4, 127, 128, 129}) check(test::random_values(3 * n, -30.0f, 30.0f, 6));
  check(test::random_values(3 * 9001, -30.0f, 30.0f, 7));
  check(curve(9001));
  // Spread along each axis in turn, the others degenerate: the axis of the search does not matter.
  for (std::size_t axis = 0; axis < 3; ++axis) {
    std::vector<float> p = test::random_values(3 * 700, -1.0f, 1.0f, 8);
    for (std::size_t i = 0; i < p.size(); ++i) p[i] = i % 3 == axis ? 50 * p[i] - 1000 : std::floor(p[i]);
    check(p);
  }
}

}  // namespace dsasrgs
