// SPDX-License-Identifier: Apache-2.0
// The simulated detector: binning in intensity, background, motion, noise, truth.
#include "dsasrgs/simulator.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "dsasrgs/error.hpp"
#include "simulate/head_phantom.hpp"
#include "simulate/photon_noise.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/small_sweep.hpp"

using namespace dsasrgs;
using test::mean;
using test::small_sweep;

namespace {

VesselTree small_tree() {
  VesselTreeOptions options;
  options.min_radius_mm = 0.4;
  return generate_vessel_tree(options);
}

/// A tree that no ray of the sweep meets.
VesselTree no_vessel() { return {{{{0, 0, 500}, 1, -1}, {{0, 0, 510}, 1, 0}}}; }

double covariance(const std::vector<float>& a, const std::vector<float>& b) {
  const double ma = mean(a), mb = mean(b);
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (static_cast<double>(a[i]) - ma) * (static_cast<double>(b[i]) - mb);
  return sum / static_cast<double>(a.size() - 1);
}

}  // namespace

TEST_CASE("photon_noise: Poisson numbers have their mean, variance and probabilities", "[photon_noise]") {
  constexpr int kCount = 40000;
  for (const double expected : {0.05, 0.7, 4.0, 9.99, 10.0, 12.0, 47.0, 1e3, 1e6}) {
    double sum = 0, squares = 0;
    std::vector<int> seen(static_cast<std::size_t>(expected < 50 ? 200 : 0));
    for (std::uint64_t i = 0; i < kCount; ++i) {
      const double k = poisson_sample(expected, 9, i, 1);
      CHECK_FALSE((k < 0 || k != std::floor(k)));
      sum += k - expected;
      squares += (k - expected) * (k - expected);
      if (!seen.empty()) ++seen[static_cast<std::size_t>(k)];
    }
    INFO("mean " << expected);
    CHECK(std::abs(sum / kCount) < 4.5 * std::sqrt(expected / kCount));
    CHECK(squares / kCount == Approx(expected).epsilon(4.5 * std::sqrt(2.0 / kCount + 1 / (expected * kCount))));
    double probability = std::exp(-expected), chi_square = 0;
    int bins = 0;
    for (std::size_t k = 0; k < seen.size(); ++k) {
      if (k > 0) probability *= expected / static_cast<double>(k);
      const double count = probability * kCount;
      if (count < 10) continue;
      chi_square += (seen[k] - count) * (seen[k] - count) / count;
      ++bins;
    }
    if (!seen.empty()) CHECK(chi_square < bins + 5 * std::sqrt(2.0 * bins));
  }
  CHECK(poisson_sample(0, 1, 2, 3) == 0);
  CHECK(poisson_sample(50, 1, 2, 3) == poisson_sample(50, 1, 2, 3));
  CHECK(log_factorial(5) == Approx(std::log(120.0)).epsilon(1e-14));
  CHECK(log_factorial(12) == Approx(std::log(479001600.0)).epsilon(1e-12));
}

TEST_CASE("head_phantom: a ray through the centre adds up its chords", "[head_phantom]") {
  const std::vector<BackgroundEllipsoid> one{{{0, 0, 3}, {10, 20, 30}, 0.02}};
  const BackgroundView still(one, {750, 0, 3}, {}), moved(one, {750, 0, 3}, {0, 12, 0});
  CHECK(still.line_integral({-1, 0, 0}) == Approx(0.02 * 20).epsilon(1e-12));
  CHECK(moved.line_integral({-1, 0, 0}) == Approx(0.02 * 20 * 0.8).epsilon(1e-12));  // √(1 − 0.6²)
  CHECK(still.line_integral({0, 1, 0}) == 0);
  for (const double azimuth : {0.0, 1.0, 2.5, 4.0})
    for (const double height : {-70.0, -45.0, 0.0, 60.0}) {
      const BackgroundView head(head_ellipsoids(), {750 * std::cos(azimuth), 750 * std::sin(azimuth), height}, {});
      const double value = head.line_integral({-std::cos(azimuth), -std::sin(azimuth), 0});
      CHECK(value > 0.5);  // no negative attenuation anywhere
      CHECK(value < 8);
    }
}

TEST_CASE("simulate: without noise and motion the background cancels exactly", "[simulate]") {
  Context ctx = test::make_context();
  SimulationOptions options = small_sweep();
  options.reference_volume = false;
  const Simulation empty = simulate(ctx, no_vessel(), {}, options);
  CHECK(*std::min_element(empty.raw.mask.begin(), empty.raw.mask.end()) < 0.05f);  // there is a head
  CHECK(std::all_of(empty.acquisition.projections.begin(), empty.acquisition.projections.end(),
                    [](float v) { return v == 0; }));
  CHECK((empty.raw.mask == empty.raw.fill));
  const Simulation filled = simulate(ctx, small_tree(), {}, options);
  CHECK(std::all_of(filled.acquisition.projections.begin(), filled.acquisition.projections.end(),
                    [](float v) { return v >= 0; }));
  CHECK((filled.raw.mask == empty.raw.mask));
  // In front of a head, a pixel is the mean of its rays weighted with the background's intensity: close to that in air.
  options.head_background = false;
  const Simulation air = simulate(ctx, small_tree(), {}, options);
  CHECK(mean(air.raw.mask) == 1);
  CHECK(test::relative_l2(filled.acquisition.projections, air.acquisition.projections) < 0.05);
  CHECK(mean(air.acquisition.projections) > 1e-3);
}

TEST_CASE("simulate: pixels are binned in intensity, truth and projections from the same rays", "[simulate]") {
  Context ctx = test::make_context();
  SimulationOptions options = small_sweep();
  options.head_background = false;
  options.reference_volume = false;
  options.scale = 4;
  options.samples_per_pixel = 2;
  ContrastOptions contrast;
  contrast.peak_attenuation_per_mm = 0.3;
  const VesselTree tree = small_tree();
  const Simulation s = simulate(ctx, tree, contrast, options);
  REQUIRE(s.acquisition.reference_projections.has_value());
  const auto& truth = *s.acquisition.reference_projections;
  REQUIRE(truth.scale == 4);
  REQUIRE(truth.values.size() == 3u * 128u * 128u);
  const ContrastCurves curves(tree, contrast);
  double worst_pixel = 0, worst_truth = 0, binned_in_log = 0, largest = 0;
  for (std::size_t view = 0; view < 3; ++view) {
    const Pose& pose = s.acquisition.poses[view];
    const auto rays = vessel_line_integrals(ctx, tree, curves, pose, options.detector, 8, pose.time_s);
    for (std::size_t y = 0; y < 32; ++y)
      for (std::size_t x = 0; x < 32; ++x) {
        double intensity = 0, in_log = 0;
        for (std::size_t fy = 4 * y; fy < 4 * y + 4; ++fy)
          for (std::size_t fx = 4 * x; fx < 4 * x + 4; ++fx) {
            double fine = 0;
            for (std::size_t k = 0; k < 4; ++k)
              fine += std::exp(-static_cast<double>(rays[(2 * fy + k / 2) * 256 + 2 * fx + k % 2])) / 4;
            const double found = static_cast<double>(truth.values[(view * 128 + fy) * 128 + fx]);
            worst_truth = std::max(worst_truth, std::abs(found + std::log(fine)));
            intensity += fine / 16;
            in_log -= std::log(fine) / 16;
          }
        const double found = static_cast<double>(s.acquisition.projections[(view * 32 + y) * 32 + x]);
        worst_pixel = std::max(worst_pixel, std::abs(found + std::log(intensity)));
        binned_in_log = std::max(binned_in_log, std::abs(in_log + std::log(intensity)));
        largest = std::max(largest, found);
      }
  }
  CHECK(largest > 0.3);
  CHECK(worst_truth < 2e-6);
  CHECK(worst_pixel < 2e-6);
  CHECK(binned_in_log > 0.05);  // the two ways of binning can be told apart here
}

TEST_CASE("simulate: a move of the head leaves edges in the projections but not in the truth", "[simulate]") {
  Context ctx = test::make_context();
  SimulationOptions options = small_sweep();
  options.reference_volume = false;
  options.motion_mm = {0.5, 0.7, -0.4};
  const Simulation s = simulate(ctx, no_vessel(), {}, options);
  const auto [low, high] = std::minmax_element(s.acquisition.projections.begin(), s.acquisition.projections.end());
  CHECK(*low < -0.01f);
  CHECK(*high > 0.01f);
  CHECK(std::all_of(s.acquisition.reference_projections->values.begin(),
                    s.acquisition.reference_projections->values.end(), [](float v) { return v == 0; }));
}

TEST_CASE("simulate: photon noise has the counts' mean and variance and is independent between runs", "[simulate]") {
  Context ctx = test::make_context();
  SimulationOptions options = small_sweep();
  options.head_background = false;
  options.reference_volume = false;
  options.samples_per_pixel = 1;
  options.photons = 2500;
  const Simulation s = simulate(ctx, no_vessel(), {}, options);
  const double n = static_cast<double>(s.raw.mask.size());
  CHECK(mean(s.raw.mask) == Approx(2500).margin(4 * 50 / std::sqrt(n)));
  CHECK(mean(s.raw.fill) == Approx(2500).margin(4 * 50 / std::sqrt(n)));
  CHECK(covariance(s.raw.mask, s.raw.mask) == Approx(2500).epsilon(4 * std::sqrt(2 / n)));
  CHECK(std::abs(covariance(s.raw.mask, s.raw.fill)) < 4 * 2500 / std::sqrt(n));
  CHECK(covariance(s.acquisition.projections, s.acquisition.projections) ==
        Approx(2.0 / 2500).epsilon(4 * std::sqrt(2 / n) + 0.01));
  const std::size_t pixels = options.detector.num_pixels();
  CHECK_FALSE(std::equal(s.raw.mask.begin(), s.raw.mask.begin() + static_cast<std::ptrdiff_t>(pixels),
                         s.raw.mask.begin() + static_cast<std::ptrdiff_t>(pixels)));  // views differ
  for (std::size_t i = 0; i < s.raw.mask.size(); ++i) {
    const double expected = std::log(static_cast<double>(s.raw.mask[i])) - std::log(static_cast<double>(s.raw.fill[i]));
    if (std::abs(static_cast<double>(s.acquisition.projections[i]) - expected) > 1e-6) FAIL_CHECK("pixel " << i);
  }
  options.photons = 0.5;  // many counts of zero
  const Simulation dark = simulate(ctx, no_vessel(), {}, options);
  CHECK(*std::min_element(dark.raw.mask.begin(), dark.raw.mask.end()) == 0.5f);
  CHECK(std::all_of(dark.acquisition.projections.begin(), dark.acquisition.projections.end(),
                    [](float v) { return std::isfinite(v); }));
}

TEST_CASE("simulate: the same for any thread count, another seed is other noise", "[simulate]") {
  Context one = test::make_context(1), two = test::make_context(2);
  SimulationOptions options = small_sweep();
  options.scale = 2;
  options.photons = 1e4;
  options.motion_mm = {0.3, 0, 0};
  const VesselTree tree = small_tree();
  const Simulation a = simulate(one, tree, {}, options), b = simulate(two, tree, {}, options);
  CHECK((a.acquisition.projections == b.acquisition.projections));
  CHECK((a.raw.mask == b.raw.mask));
  CHECK((a.raw.fill == b.raw.fill));
  CHECK((a.acquisition.reference_projections->values == b.acquisition.reference_projections->values));
  CHECK((a.acquisition.reference_volume->values == b.acquisition.reference_volume->values));
  options.seed = 2;
  const Simulation c = simulate(two, tree, {}, options);
  CHECK((a.raw.mask != c.raw.mask));
  CHECK((a.acquisition.reference_projections->values == c.acquisition.reference_projections->values));
}

TEST_CASE("simulate: the acquisition is complete", "[simulate]") {
  Context ctx = test::make_context();
  SimulationOptions options = small_sweep();
  options.sweep.num_views = 7;
  options.sweep.view.secondary_rad = 0.2;
  options.sweep.view.offset_u_mm = 5;
  options.num_train_views = 3;
  options.samples_per_pixel = 1;
  const VesselTree tree = small_tree();
  const Simulation s = simulate(ctx, tree, {}, options);
  const Acquisition& a = s.acquisition;
  CHECK(a.poses.size() == 7);
  CHECK(a.poses[3].source_mm == circular_poses(options.sweep)[3].source_mm);
  CHECK(a.projections.size() == 7 * options.detector.num_pixels());
  CHECK(test::max_difference(a.reference_projections->values, a.projections) < 1e-6);  // scale 1, no noise
  CHECK(a.train_views == std::vector<int>{0, 2, 4});
  CHECK(a.test_views == std::vector<int>{1, 3, 5, 6});
  CHECK_FALSE(a.name.empty());
  REQUIRE(a.reference_volume.has_value());
  CHECK_FALSE(a.reference_volume->time_s.has_value());
  const ContrastCurves curves(tree, {});
  std::vector<double> times;
  for (const Pose& pose : a.poses) times.push_back(pose.time_s);
  CHECK(times.back() == 5);
  CHECK((a.reference_volume->values == vessel_volume(ctx, tree, curves, options.volume, 4, times)));
  CHECK(mean(a.reference_volume->values) > 0);
  options.reference_volume = false;
  CHECK_FALSE(simulate(ctx, tree, {}, options).acquisition.reference_volume.has_value());
}

TEST_CASE("simulate: options out of range are refused by name", "[simulate]") {
  Context ctx = test::make_context();
  const auto refused = [&](const char* field, auto change) {
    SimulationOptions options = small_sweep();
    change(options);
    CHECK_THROWS_AS(simulate(ctx, no_vessel(), {}, options), InvalidArgument);
    CHECK_THROWS_WITH(simulate(ctx, no_vessel(), {}, options), Catch::Contains(field));
  };
  refused("num_views", [](SimulationOptions& o) { o.sweep.num_views = 0; });
  refused("duration_s", [](SimulationOptions& o) { o.sweep.duration_s = -1; });
  refused("sdd_mm", [](SimulationOptions& o) { o.sweep.view.sdd_mm = 700; });
  refused("detector.width_px", [](SimulationOptions& o) { o.detector.width_px = 0; });
  refused("detector.pitch_v_mm", [](SimulationOptions& o) { o.detector.pitch_v_mm = 0; });
  refused("scale", [](SimulationOptions& o) { o.scale = 0; });
  refused("samples_per_pixel", [](SimulationOptions& o) { o.samples_per_pixel = 0; });
  refused("volume.size_y", [](SimulationOptions& o) { o.volume.size_y = 0; });
  refused("volume.spacing_mm.z", [](SimulationOptions& o) { o.volume.spacing_mm.z = 0; });
  refused("volume.origin_mm.y", [](SimulationOptions& o) { o.volume.origin_mm.y = NAN; });
  refused("photons", [](SimulationOptions& o) { o.photons = -1; });
  refused("photons", [](SimulationOptions& o) { o.photons = NAN; });
  refused("photons", [](SimulationOptions& o) { o.photons = 1e39; });
  refused("motion_mm.y", [](SimulationOptions& o) { o.motion_mm.y = INFINITY; });
  refused("num_train_views", [](SimulationOptions& o) { o.num_train_views = 4; });
}

TEST_CASE("simulate: a tree without vessels is refused", "[simulate]") {
  Context ctx = test::make_context();
  CHECK_THROWS_WITH(simulate(ctx, VesselTree{}, {}, small_sweep()),
                    "simulate: tree.nodes: expected at least one, found none");
}

TEST_CASE("simulate: vessels that all overlap are refused before they are followed", "[simulate]") {
  Context ctx = test::make_context();
  VesselTree tree;
  for (int i = 0; i < 500; ++i) tree.nodes.push_back({{0.1 * i, 0, 0}, 1e4, i - 1});
  CHECK_THROWS_WITH(simulate(ctx, tree, {}, small_sweep()),
                    Catch::Contains("radius_mm: expected vessels of which at most 200 overlap"));
  const ContrastCurves curves(tree, {});
  CHECK_THROWS_WITH(vessel_volume(ctx, tree, curves, {4, 4, 4, {1, 1, 1}, {}}, 2, {1.0}),
                    Catch::Contains("at most 20 overlap"));
  tree.nodes[3].radius_mm = 1e10;
  CHECK_THROWS_WITH(simulate(ctx, tree, {}, small_sweep()),
                    "node 3: radius_mm: expected 1e-6 to 1e9 mm, found 10000000000");
}
