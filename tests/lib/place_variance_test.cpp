// SPDX-License-Identifier: Apache-2.0
// What views over an arc tell of places, against integrals over the arc on paper.

#include "place_variance.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>
#include <vector>

using namespace dsasrgs;

namespace {

Vec3d in_plane(double angle) { return {std::cos(angle), std::sin(angle), 0}; }

/// Views over an arc about angle 0.
PlaceVariance of_arc(double arc) {
  std::vector<Vec3d> directions;
  constexpr int kViews = 4000;
  for (int i = 0; i < kViews; ++i) directions.push_back(in_plane(((i + 0.5) / kViews - 0.5) * arc));
  return PlaceVariance(directions);
}

/// Modes of variances 1, a, b and of shape, over 6.
double modes(double a, double b) {
  const auto shape = [](double product) { return std::pow(product, 0.75); };
  return (1 + a + b + shape(a * a) + shape(a * b) + shape(b * b)) / 6;
}

}  // namespace

TEST_CASE("PlaceVariance: views over an arc, seen from any angle", "[uncertainty]") {
  for (const double arc : {1.0, 2.0, std::numbers::pi, 2 * std::numbers::pi}) {
    const PlaceVariance variance = of_arc(arc);
    // Mean of cos² over the arc: what views tell along its middle is 1 less that, across it in the plane that itself.
    const double along = (1 - std::sin(arc) / arc) / 2, across = (1 + std::sin(arc) / arc) / 2;
    for (const double angle : {0.0, 0.4, 1.1, std::numbers::pi / 2}) {
      CAPTURE(arc, angle);
      const double a = std::pow(std::sin(angle), 2) / along + std::pow(std::cos(angle), 2) / across;
      CHECK(variance.ratio(in_plane(angle) * 750.0) == Approx(modes(1, a)).epsilon(1e-5));
      CHECK(variance.ratio(in_plane(angle) * -1.0) == Approx(modes(1, a)).epsilon(1e-5));
    }
    const auto shape = [](double product) { return std::pow(product, 0.75); };
    const double x = 1 / along, y = 1 / across;
    const double all = 2 + x + y + shape(1) + shape(x) + shape(y) + shape(x * x) + shape(x * y) + shape(y * y);
    CHECK(variance.ratio_in_space() == Approx(std::sqrt(all / 10)).epsilon(1e-5));
    CHECK(variance.ratio({0, 0, 1}) == Approx(modes(1 / along, 1 / across)).epsilon(1e-5));
  }
  CHECK(of_arc(std::numbers::pi).ratio(in_plane(0.7)) == Approx(modes(1, 2)).epsilon(1e-5));
}

TEST_CASE("PlaceVariance: one view, and views from everywhere", "[uncertainty]") {
  const std::vector<Vec3d> one{in_plane(0.3)};
  const PlaceVariance single(one);
  CHECK(single.ratio(in_plane(0.3)) == Approx(1).epsilon(1e-6));
  CHECK(single.ratio(in_plane(0.3 + std::numbers::pi / 2)) == Approx(modes(1, 20)).epsilon(1e-6));  // nothing along it
  const std::vector<Vec3d> axes{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  for (const Vec3d& line : {Vec3d{1, 2, 3}, Vec3d{0, 0, -1}, Vec3d{-3, 0.1, 0}})
    CHECK(PlaceVariance(axes).ratio(line) == Approx(modes(1.5, 1.5)));
}
