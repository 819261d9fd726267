// SPDX-License-Identifier: Apache-2.0
// Contrast curves: gamma variate, injection, delay, dispersion.
#include <catch2/catch.hpp>
#include <cmath>

#include "dsasrgs/error.hpp"
#include "dsasrgs/simulator.hpp"
#include "simulate/gamma_variate.hpp"

using namespace dsasrgs;

namespace {

/// The gamma variate with peak 1 at a·b, as docs and method write it.
double gamma_variate(double x, double a, double b) {
  return x > 0 ? std::pow(x / (a * b), a) * std::exp(a - x / b) : 0;
}

/// Mean of the gamma variate over the last T seconds, by Simpson's rule.
double convolved(double x, double a, double b, double T) {
  constexpr int kSteps = 20000;
  double sum = 0;
  for (int i = 0; i <= kSteps; ++i)
    sum += (i == 0 || i == kSteps ? 1 : (i % 2 ? 4 : 2)) * gamma_variate(x - T + T * i / kSteps, a, b);
  return sum / (3.0 * kSteps);
}

VesselTree straight_vessel(double radius_mm, int num_nodes) {
  VesselTree tree;
  for (int i = 0; i < num_nodes; ++i) tree.nodes.push_back({{0, 0, 10.0 * i}, radius_mm, i - 1});
  return tree;
}

}  // namespace

TEST_CASE("contrast: the incomplete gamma function has its closed forms", "[contrast]") {
  for (const double x : {1e-3, 0.3, 1.0, 1.9, 2.1, 5.0, 30.0}) {
    CHECK(regularized_gamma_p(1, x) == Approx(1 - std::exp(-x)).epsilon(1e-12));
    CHECK(regularized_gamma_p(3, x) == Approx(1 - std::exp(-x) * (1 + x + x * x / 2)).epsilon(1e-12).margin(3e-16));
    CHECK(regularized_gamma_p(0.5, x) == Approx(std::erf(std::sqrt(x))).epsilon(1e-12));
  }
  CHECK(regularized_gamma_p(2.6, 0) == 0);
  CHECK(regularized_gamma_p(2.6, 1e4) == 1);
}

TEST_CASE("contrast: without injection the curve is the gamma variate, peak A at t0 + a b", "[contrast]") {
  ContrastOptions options;
  options.injection_s = 0;
  const ContrastCurves curves(straight_vessel(2, 2), options);
  CHECK(curves.peak_time_s(0) == Approx(0.7 + 1.6 * 1.2));
  CHECK(curves.attenuation(0, 0.7 + 1.6 * 1.2) == Approx(0.05).epsilon(1e-12));
  CHECK(curves.attenuation(0, 0.7) == 0);
  for (const double t : {0.8, 1.5, 3.0, 5.0, 9.0})
    CHECK(curves.attenuation(0, t) == Approx(0.05 * gamma_variate(t - 0.7, 1.6, 1.2)).epsilon(1e-12));
}

TEST_CASE("contrast: an injection is a convolution, scaled to the peak", "[contrast]") {
  for (const double injection : {1e-4, 1.1e-3, 0.1, 1.0, 4.0, 12.0}) {
    ContrastOptions options;
    options.injection_s = injection;
    const ContrastCurves curves(straight_vessel(2, 2), options);
    const double peak_s = curves.peak_time_s(0);
    INFO("injection " << injection);
    CHECK(curves.attenuation(0, peak_s) == Approx(0.05).epsilon(1e-12));
    CHECK(curves.attenuation(0, peak_s - 0.05) < 0.05);
    CHECK(curves.attenuation(0, peak_s + 0.05) < 0.05);
    const double peak = convolved(peak_s - 0.7, 1.6, 1.2, injection);
    for (const double t : {0.75, 1.4, 2.6, 5.0, 9.0, 20.0})
      CHECK(curves.attenuation(0, t) ==
            Approx(0.05 * convolved(t - 0.7, 1.6, 1.2, injection) / peak).margin(0.05 * 3e-7));
  }
}

TEST_CASE("contrast: delay is path over velocity, which falls with the radius to at least a tenth", "[contrast]") {
  ContrastOptions options;
  const ContrastCurves wide(straight_vessel(2, 5), options);
  CHECK(wide.delay_s(4) == Approx(40.0 / 400));
  VesselTree tree = straight_vessel(2, 3);
  tree.nodes[1].radius_mm = 1;
  tree.nodes[2].radius_mm = 1;
  const ContrastCurves narrowing(tree, options);
  CHECK(narrowing.delay_s(2) == Approx(10 / (400 * std::sqrt(0.75)) + 10 / (400 * std::sqrt(0.5))));
  tree.nodes[2].radius_mm = tree.nodes[1].radius_mm = 1e-3;
  options.velocity_exponent = 2;
  CHECK(ContrastCurves(tree, options).delay_s(2) == Approx(10 / (400 * 0.25025025) + 10 / 40.0).epsilon(1e-3));
}

TEST_CASE("contrast: downstream curves come later, are wider, and keep their area", "[contrast]") {
  ContrastOptions options;
  options.width_growth = 0.5;
  const ContrastCurves curves(std::vector<double>{0, 0.4, 1.5}, options);
  double area[3] = {0, 0, 0};
  for (int i = 0; i < 60000; ++i)
    for (std::size_t n = 0; n < 3; ++n) area[n] += curves.attenuation(n, i * 1e-3) * 1e-3;
  CHECK(area[1] == Approx(area[0]).epsilon(1e-5));
  CHECK(area[2] == Approx(area[0]).epsilon(1e-5));
  CHECK(curves.peak_time_s(0) < curves.peak_time_s(1));
  CHECK(curves.peak_time_s(1) < curves.peak_time_s(2));
  CHECK(curves.attenuation(1, curves.peak_time_s(1)) < curves.attenuation(0, curves.peak_time_s(0)));
  CHECK(curves.attenuation(2, 0.7 + 1.49) == 0);
  CHECK(curves.attenuation(2, 0.7 + 1.6) > 0);
  const std::vector<double> all = curves.attenuation(3.0);
  REQUIRE(all.size() == 3);
  CHECK(all[2] == curves.attenuation(2, 3.0));
  // Width at a delay of 1.5 s: 1.2 + 0.5·1.5.
  const double x = 2.0;
  CHECK(curves.attenuation(2, 0.7 + 1.5 + x) / curves.attenuation(2, curves.peak_time_s(2)) ==
        Approx(convolved(x, 1.6, 1.95, 4) / convolved(bolus_peak_s(1.6, 1.95, 4), 1.6, 1.95, 4)).epsilon(1e-6));
}

TEST_CASE("contrast: arrival is monotone along the built-in tree", "[contrast]") {
  const VesselTree tree = generate_vessel_tree({});
  const ContrastCurves curves(tree, {});
  double longest = 0;
  for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
    if (tree.nodes[i].parent < 0) {
      CHECK(curves.delay_s(i) == 0);
    } else if (!(curves.delay_s(i) > curves.delay_s(tree.nodes[i].parent))) {
      FAIL_CHECK("node " << i << " fills before its parent");
    }
    longest = std::max(longest, curves.delay_s(i));
  }
  CHECK(longest > 0.3);
  CHECK(longest < 2);
}

TEST_CASE("contrast: options out of range and malformed trees are refused", "[contrast]") {
  const VesselTree tree = straight_vessel(1, 2);
  const auto refused = [&](auto change) {
    ContrastOptions options;
    change(options);
    CHECK_THROWS_AS(ContrastCurves(tree, options), InvalidArgument);
  };
  refused([](ContrastOptions& o) { o.arrival_s = NAN; });
  refused([](ContrastOptions& o) { o.shape = 0; });
  refused([](ContrastOptions& o) { o.shape = 101; });
  refused([](ContrastOptions& o) { o.width_s = 0; });
  refused([](ContrastOptions& o) { o.width_growth = -1; });
  refused([](ContrastOptions& o) { o.injection_s = -1; });
  refused([](ContrastOptions& o) { o.velocity_mm_per_s = 0; });
  refused([](ContrastOptions& o) { o.velocity_exponent = -0.1; });
  refused([](ContrastOptions& o) { o.peak_attenuation_per_mm = -1; });
  CHECK_THROWS_AS(ContrastCurves(straight_vessel(0, 2), {}), InvalidArgument);
  CHECK_THROWS_AS(ContrastCurves(std::vector<double>{-0.1}, {}), InvalidArgument);
  CHECK_THROWS_WITH((ContrastCurves(VesselTree{{{{}, 1, -1}, {{}, 1, 1}}}, {})), Catch::Contains("node 1: parent"));
}

TEST_CASE("contrast: nodes that are not there and times that are NaN are refused", "[contrast]") {
  const ContrastCurves curves(straight_vessel(1, 2), {});
  CHECK_THROWS_WITH(curves.delay_s(2), "ContrastCurves: node: expected one of 2, found 2");
  CHECK_THROWS_AS(curves.attenuation(2, 1), InvalidArgument);
  CHECK_THROWS_AS(curves.peak_time_s(static_cast<std::size_t>(-1)), InvalidArgument);
  CHECK_THROWS_AS(curves.attenuation(0, NAN), InvalidArgument);
  CHECK_THROWS_AS(curves.attenuation(NAN), InvalidArgument);
}
