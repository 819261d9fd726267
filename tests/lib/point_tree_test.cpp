// SPDX-License-Identifier: Apache-2.0
#include "point_tree.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "dsasrgs/error.hpp"
#include "oracle/neighbours_oracle.hpp"
#include "support/random_values.hpp"

namespace dsasrgs {
namespace {

using Catch::Matchers::Contains;

std::vector<float> run(const std::vector<float>& position, int threads = 2) {
  return neighbour_distances_mm2(Context::cpu(threads), position);
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

TEST_CASE("neighbours: a lattice has its spacing squared", "[point_tree]") {
  std::vector<float> p;
  for (int z = 0; z < 9; ++z)
    for (int y = 0; y < 8; ++y)
      for (int x = 0; x < 7; ++x)
        p.insert(p.end(), {0.5f * static_cast<float>(x), 0.5f * static_cast<float>(y), 0.5f * static_cast<float>(z)});
  // Every point, corners too, has three neighbours one step away.
  CHECK(run(p) == std::vector<float>(p.size() / 3, 0.25f));
}

TEST_CASE("neighbours: three different distances are averaged as squares", "[point_tree]") {
  const std::vector<float> found = run({0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 50, 50, 50});
  CHECK(found[0] == Approx((1.0 + 4.0 + 9.0) / 3));
}

TEST_CASE("neighbours: the result agrees with every pair", "[point_tree]") {
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

TEST_CASE("neighbours: coincident points are at distance zero", "[point_tree]") {
  CHECK(run(std::vector<float>(3 * 100, 2.5f)) == std::vector<float>(100, 0.0f));
}

TEST_CASE("neighbours: with fewer than four points, those there are", "[point_tree]") {
  CHECK(run({}).empty());
  CHECK(run({1, 2, 3}) == std::vector<float>{0});
  CHECK(run({0, 0, 0, 0, 3, 4}) == std::vector<float>{25, 25});
  CHECK(run({0, 0, 0, 2, 0, 0, 6, 0, 0}) == std::vector<float>{20, 10, 26});
}

TEST_CASE("neighbours: the result has the same bits for any number of threads", "[point_tree]") {
  const std::vector<float> p = curve(9001);
  const std::vector<float> one = run(p, 1);
  CHECK(one == run(p, 2));
  CHECK(one == run(p, 3));
}

TEST_CASE("neighbours: wrong arguments are refused", "[point_tree]") {
  CHECK_THROWS_AS(run({0, 1, 2, 3, 4, 5, 6}), InvalidArgument);
  CHECK_THROWS_WITH(run({0, 1, 2, 3, 4, 5, 6}), Contains("position_mm: expected 3 numbers to a point, found 7 in all"));
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
    CHECK_THROWS_WITH(run({0, 1, 2, 3, bad, 5}),
                      "neighbour_distances: position_mm: expected finite positions, found NaN or infinity");
}

TEST_CASE("point tree: finds the nearest point, ties and repeats included", "[point_tree]") {
  for (const std::size_t n : {std::size_t{1}, std::size_t{2}, std::size_t{13}, std::size_t{500}, std::size_t{3001}}) {
    const std::vector<double> numbers = test::random_values(3 * n, -10.0, 10.0, static_cast<std::uint32_t>(n));
    std::vector<Vec3d> points;
    for (std::size_t i = 0; i < n; ++i) {
      Vec3d p{numbers[3 * i], numbers[3 * i + 1], numbers[3 * i + 2]};
      if (i % 2) p = {std::round(p.x), std::round(p.y), 0};  // many equal coordinates
      points.push_back(p);
    }
    const PointTree tree(points);
    const std::vector<double> queries = test::random_values(3 * 1000, -14.0, 14.0, 99);
    int num_wrong = 0;
    for (std::size_t q = 0; q < 1000; ++q) {
      const Vec3d query = q < 10 ? points[q % n] : Vec3d{queries[3 * q], queries[3 * q + 1], queries[3 * q + 2]};
      double nearest = 1e300;
      for (const Vec3d p : points) nearest = std::min(nearest, length(p - query));
      num_wrong += tree.distance_mm(query) != nearest;
    }
    CHECK(num_wrong == 0);
  }
}

}  // namespace dsasrgs
