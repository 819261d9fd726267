// SPDX-License-Identifier: Apache-2.0
// Rays through tapered capsules: closed forms, dense integration of an independent inside test, unions, volumes.
#include "simulate/vessel_rays.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>

#include "dsasrgs/error.hpp"
#include "dsasrgs/simulator.hpp"
#include "raycast/raycast.hpp"
#include "simulate/vessel_math.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"

using namespace dsasrgs;

namespace {

constexpr double kPi = std::numbers::pi;

/// Signed depth of p outside the union of all spheres between two spheres, by ternary search over the sphere: another
/// definition of the capsule than the code's.
double outside_by_mm(Vec3d p, Vec3d a, Vec3d b, double ra, double rb) {
  const auto f = [&](double s) { return length(p - a - (b - a) * s) - (ra + (rb - ra) * s); };
  double low = 0, high = 1;
  for (int i = 0; i < 45; ++i) {
    const double s = low + (high - low) / 3, t = high - (high - low) / 3;
    (f(s) < f(t) ? high : low) = f(s) < f(t) ? t : s;
  }
  return std::min({f(low), f(0), f(1)});
}

struct RandomCapsules {
  std::mt19937 generator{7};
  double uniform(double low, double high) { return std::uniform_real_distribution<double>(low, high)(generator); }
  Vec3d point(double half) { return {uniform(-half, half), uniform(-half, half), uniform(-half, half)}; }
  Vec3d direction() {
    for (;;)
      if (const Vec3d p = point(1); length(p) > 0.1 && length(p) < 1) return normalized(p);
  }
};

/// Curves that are the same at every node: `attenuation` at time 10 s.
ContrastCurves flat_curves(std::size_t num_nodes, double attenuation) {
  ContrastOptions options;
  options.arrival_s = 0;
  options.injection_s = 0;
  options.shape = 2;
  options.width_s = 5;  // peak at 10 s
  options.peak_attenuation_per_mm = attenuation;
  return ContrastCurves(std::vector<double>(num_nodes, 0.0), options);
}

Pose pose_from_x() { return carm_pose({}, 0); }  // source at +x, u = +y, v = −z

VesselTree two_nodes(Vec3d a, double ra, Vec3d b, double rb) { return {{{a, ra, -1}, {b, rb, 0}}}; }

double integral_over(const VesselTree& tree, const std::vector<double>& attenuation, Vec3d origin, Vec3d direction) {
  const auto capsules = vessel_capsules(tree);
  std::vector<CapsuleHit> hits;
  for (std::size_t i = 0; i < capsules.size(); ++i)
    if (const auto inside = capsule_interval(capsules[i].shape, origin, direction); !inside.empty())
      hits.push_back({inside, static_cast<int>(i)});
  return union_integral(capsules, attenuation, origin, direction, hits);
}

}  // namespace

TEST_CASE("vessel_rays: chords of a sphere and a cylinder are the closed forms", "[vessel_rays]") {
  const Vec3d origin{750, 1, 0}, toward{-1, 0, 0};
  const auto sphere = make_capsule<double>({0, 0, 0}, {0, 0, 0}, 3, 2);
  const auto chord = capsule_interval(sphere, origin, toward);
  CHECK(chord.end - chord.begin == Approx(2 * std::sqrt(8.0)).epsilon(1e-12));
  CHECK((chord.begin + chord.end) / 2 == Approx(750).epsilon(1e-12));

  const auto cylinder = make_capsule<double>({0, 0, -20}, {0, 0, 20}, 2, 2);
  const auto across = capsule_interval(cylinder, {750, 1.2, 3}, toward);
  CHECK(across.end - across.begin == Approx(2 * std::sqrt(4 - 1.44)).epsilon(1e-12));
  const double angle = 0.7;  // between ray and axis
  const Vec3d oblique{-std::sin(angle), 0, std::cos(angle)};
  const auto slanted = capsule_interval(cylinder, oblique * -700.0, oblique);
  CHECK(slanted.end - slanted.begin == Approx(4 / std::sin(angle)).epsilon(1e-12));
  const auto along = capsule_interval(cylinder, {0.5, 0, 700}, {0, 0, -1});
  CHECK(along.end - along.begin == Approx(40 + 2 * std::sqrt(4 - 0.25)).epsilon(1e-12));
  CHECK(capsule_interval(cylinder, {750, 2.0001, 3}, toward).empty());
  CHECK(capsule_interval(cylinder, {2.0001, 0, 700}, {0, 0, -1}).empty());

  const auto in_float =
      capsule_interval(make_capsule<float>({0, 0, -20}, {0, 0, 20}, 2, 2), Vec3f{750, 1.2f, 3}, Vec3f{-1, 0, 0});
  CHECK(in_float.end - in_float.begin == Approx(2 * std::sqrt(4 - 1.44)).epsilon(1e-4));
}

TEST_CASE("vessel_rays: a ray along the axis of a cone crosses both caps", "[vessel_rays]") {
  const auto cone = make_capsule<double>({0, 0, 0}, {0, 0, 10}, 3, 1);
  const auto along = capsule_interval(cone, {0, 0, 700}, {0, 0, -1});
  CHECK(along.end - along.begin == Approx(3 + 10 + 1).epsilon(1e-12));
  // Perpendicular at axial position y: cone radius (ra − sine·y)/cosine.
  const double sine = 0.2, radius = (3 - sine * 6) / std::sqrt(1 - sine * sine);
  const auto across = capsule_interval(cone, {750, 0, 6}, {-1, 0, 0});
  CHECK(across.end - across.begin == Approx(2 * radius).epsilon(1e-12));
  // One sphere inside the other: only the larger counts.
  const auto swallowed = make_capsule<double>({0, 0, 0}, {0, 0, 1}, 3, 1);
  const auto chord = capsule_interval(swallowed, {0, 0, 700}, {0, 0, -1});
  CHECK(chord.end - chord.begin == Approx(6).epsilon(1e-12));
}

TEST_CASE("vessel_rays: intervals of tapered capsules agree with dense integration of an inside test",
          "[vessel_rays]") {
  RandomCapsules random;
  int num_hit = 0, num_steep = 0;
  for (int i = 0; i < 120; ++i) {
    const Vec3d a = random.point(3), b = a + random.direction() * random.uniform(0.2, 6);
    const double ra = random.uniform(0.1, 2), rb = random.uniform(0.1, 2);
    const auto capsule = make_capsule(a, b, ra, rb);
    // A third of the rays run nearly along the axis, where the quadratic of the cone changes sign.
    const Vec3d d = i % 3 == 0 ? normalized(capsule.axis + random.point(0.15)) : random.direction();
    const Vec3d near = a + (b - a) * random.uniform(0, 1) + random.point(1);
    const Vec3d origin = near - d * 700.0;
    if (capsule.cone && dot(d, capsule.axis) * dot(d, capsule.axis) > capsule.cosine * capsule.cosine) ++num_steep;
    constexpr int kSteps = 3000;
    const double step = 20.0 / kSteps;
    double path = 0;
    for (int k = 0; k < kSteps; ++k)
      if (outside_by_mm(origin + d * (690 + (k + 0.5) * step), a, b, ra, rb) < 0) path += step;
    const auto inside = capsule_interval(capsule, origin, d);
    const double found = inside.empty() ? 0 : inside.end - inside.begin;
    INFO("capsule " << i);
    CHECK(found == Approx(path).margin(2.1 * step));
    num_hit += path > 0;
    for (int k = 0; k < 20; ++k) {
      const Vec3d p = a + (b - a) * random.uniform(-0.5, 1.5) + random.point(2);
      CHECK(capsule_contains(capsule, p) == (outside_by_mm(p, a, b, ra, rb) < 0));
    }
  }
  CHECK(num_hit > 60);
  CHECK(num_steep > 10);
}

TEST_CASE("vessel_rays: attenuation goes linearly along the axis and is constant beyond its ends", "[vessel_rays]") {
  RandomCapsules random;
  for (int i = 0; i < 30; ++i) {
    const Vec3d a = random.point(2), b = random.point(4), d = i == 0 ? Vec3d{0, 0, 1} : random.direction();
    const auto capsule = make_capsule(i == 1 ? b : a, b, 1.0, 0.6);
    const double begin = random.uniform(-8, 0), end = begin + random.uniform(0, 12);
    double sum = 0;
    constexpr int kSteps = 20000;
    for (int k = 0; k < kSteps; ++k) {
      const Vec3d p = d * (begin + (end - begin) * (k + 0.5) / kSteps);
      double f = capsule.length > 0 ? dot(p - capsule.a, b - a) / dot(b - a, b - a) : 0;
      f = std::clamp(f, 0.0, 1.0);
      sum += (0.02 + f * (0.05 - 0.02)) * (end - begin) / kSteps;
    }
    CHECK(attenuation_integral(capsule, 0.02, 0.05, {}, d, begin, end) == Approx(sum).epsilon(1e-6));
  }
}

TEST_CASE("vessel_rays: overlapping capsules count once and the nearest axis gives the attenuation", "[vessel_rays]") {
  // Two vessels crossing at right angles, axes 1 mm apart, both 2 mm wide in radius: along x they cover [−2.5, 2.5].
  VesselTree crossing{{{{-0.5, 0, -10}, 2, -1}, {{-0.5, 0, 10}, 2, 0}, {{0.5, -10, 0}, 2, -1}, {{0.5, 10, 0}, 2, 2}}};
  CHECK(integral_over(crossing, {0.03, 0.03, 0.03, 0.03}, {700, 0, 0}, {-1, 0, 0}) == Approx(0.03 * 5).epsilon(1e-12));
  // Different blood: pieces [−2.5, −1.5] and [1.5, 2.5] belong to one vessel alone; the shared piece has its middle at
  // the same distance from both, so the first counts.
  CHECK(integral_over(crossing, {0.01, 0.01, 0.04, 0.04}, {700, 0, 0}, {-1, 0, 0}) ==
        Approx(0.01 * 4 + 0.04 * 1).epsilon(1e-9));
  crossing.nodes[0].position_mm.x = crossing.nodes[1].position_mm.x = -0.6;
  crossing.nodes[0].radius_mm = crossing.nodes[1].radius_mm =
      2.3;  // covers [−2.9, 1.7]; the middle of [−1.5, 1.7] is 0.1
  CHECK(integral_over(crossing, {0.01, 0.01, 0.04, 0.04}, {700, 0, 0}, {-1, 0, 0}) ==
        Approx(0.01 * 1.4 + 0.04 * 4).epsilon(1e-9));
  // A capsule listed three times is still one capsule.
  const VesselTree thrice{{{{0, 0, -5}, 1, -1}, {{0, 0, 5}, 1, 0}, {{0, 0, 5}, 1, 0}, {{0, 0, 5}, 1, 0}}};
  CHECK(integral_over(thrice, {1, 1, 1, 1}, {700, 0, 0}, {-1, 0, 0}) == Approx(2).epsilon(1e-12));
}

TEST_CASE("vessel_rays: tiles leave out no capsule and no ray depends on the threads", "[vessel_rays]") {
  VesselTreeOptions options;
  options.seed = 3;
  options.inlet_radius_mm = 1.5;
  const VesselTree tree = generate_vessel_tree(options);
  const ContrastCurves curves(tree, {});
  CArmView view;
  view.primary_rad = 0.4;
  view.secondary_rad = -0.3;
  view.offset_u_mm = 25;
  view.offset_v_mm = -14;
  const Pose pose = carm_pose(view, 0);
  const Detector detector{75, 61, 3.1, 2.9};
  Context two = test::make_context(2), one = test::make_context(1);
  const auto integrals = vessel_line_integrals(two, tree, curves, pose, detector, 2, 3.5);
  REQUIRE(integrals.size() == 150u * 122u);
  CHECK((integrals == vessel_line_integrals(one, tree, curves, pose, detector, 2, 3.5)));
  const std::vector<double> attenuation = curves.attenuation(3.5);
  double worst = 0, largest = 0;
  int num_hit = 0;
  for (int y = 0; y < 122; y += 3)
    for (int x = 0; x < 150; x += 2) {
      const Vec3d target = detector_point(pose, detector, {(x + 0.5) / 2, (y + 0.5) / 2});
      const Vec3d d = normalized(target - pose.source_mm);
      const double expected = integral_over(tree, attenuation, pose.source_mm, d);
      worst =
          std::max(worst, std::abs(expected - static_cast<double>(integrals[static_cast<std::size_t>(y) * 150 + x])));
      largest = std::max(largest, expected);
      num_hit += expected > 0;
    }
  CHECK(num_hit > 200);
  CHECK(largest > 0.1);
  CHECK(worst < 1e-7);
}

TEST_CASE("vessel_rays: vessels behind the source or the detector are not seen", "[vessel_rays]") {
  Context ctx = test::make_context();
  const Detector detector{9, 9, 3, 3};
  const auto seen = [&](double x, double ra) {
    const VesselTree tree = two_nodes({x, -3, 0}, ra, {x, 3, 0}, ra);
    const auto rays = vessel_line_integrals(ctx, tree, flat_curves(2, 0.1), pose_from_x(), detector, 1, 10);
    return static_cast<double>(rays[4 * 9 + 4]);
  };
  CHECK(seen(0, 1) == Approx(0.2).epsilon(1e-6));
  CHECK(seen(760, 1) == 0);
  CHECK(seen(-455, 1) == 0);
  CHECK(seen(750.5, 1) == Approx(0.05).epsilon(1e-6));  // around the source: half of it lies ahead
  CHECK(seen(-450, 1) == Approx(0.1).epsilon(1e-6));    // the detector's plane cuts it
}

TEST_CASE("vessel_volume: mass and projections agree with the analytic capsules", "[vessel_volume]") {
  Context ctx = test::make_context();
  const double ra = 6, rb = 3, axis = 20;
  const VesselTree tree = two_nodes({3, -6, -8}, ra, Vec3d{3, -6, -8} + normalized(Vec3d{2, 1, 2}) * axis, rb);
  const VolumeGrid grid{128, 120, 112, {0.45, 0.5, 0.55}, {-29, -30, -31}};
  const auto volume = vessel_volume(ctx, tree, flat_curves(2, 0.05), grid, 2, {10.0});
  double mass = 0;
  for (const float v : volume) mass += static_cast<double>(v) * 0.45 * 0.5 * 0.55;
  // Cone frustum between the circles of contact plus the two spherical caps outside it.
  const double sine = (ra - rb) / axis, cosine2 = 1 - sine * sine, h = axis + (rb - ra) * sine;
  const double circle_a = ra * ra * cosine2, circle_b = rb * rb * cosine2;
  const auto cap = [](double r, double height) { return kPi * height * height * (3 * r - height) / 3; };
  const double exact = kPi * h / 3 * (circle_a + circle_b + std::sqrt(circle_a * circle_b)) + cap(ra, ra * (1 + sine)) +
                       cap(rb, rb * (1 - sine));
  CHECK(mass == Approx(0.05 * exact).epsilon(2e-3));

  const Detector detector{48, 44, 1.9, 2.1};
  CArmView view;
  view.primary_rad = 0.9;
  view.secondary_rad = 0.2;
  const Pose pose = carm_pose(view, 10);
  const auto rays = vessel_line_integrals(ctx, tree, flat_curves(2, 0.05), pose, detector, 1, 10);
  Buffer<float> image(ctx, detector.num_pixels());
  raycast(ctx, {Buffer<float>::from_host(ctx, volume), grid, pose, detector}, image);
  CHECK(test::relative_l2(image.to_host(ctx), rays) < 0.04);
  double sum_rays = 0, sum_image = 0;
  for (const float v : rays) sum_rays += static_cast<double>(v);
  for (const float v : image.to_host(ctx)) sum_image += static_cast<double>(v);
  CHECK(sum_rays == Approx(sum_image).epsilon(3e-3));
}

TEST_CASE("vessel_volume: the time mean is the mean of the moments, for any thread count", "[vessel_volume]") {
  VesselTreeOptions options;
  options.min_radius_mm = 0.5;
  const VesselTree tree = generate_vessel_tree(options);
  const ContrastCurves curves(tree, {});
  const VolumeGrid grid{33, 41, 37, {4, 4, 4}, {-66, -82, -74}};
  Context two = test::make_context(2), one = test::make_context(1);
  const auto mean = vessel_volume(two, tree, curves, grid, 2, {1.5, 4});
  CHECK((mean == vessel_volume(one, tree, curves, grid, 2, {1.5, 4})));
  const auto early = vessel_volume(two, tree, curves, grid, 2, {1.5}),
             late = vessel_volume(two, tree, curves, grid, 2, {4});
  std::vector<double> expected;
  for (std::size_t i = 0; i < early.size(); ++i)
    expected.push_back((static_cast<double>(early[i]) + static_cast<double>(late[i])) / 2);
  CHECK(test::relative_l2(mean, expected) < 1e-6);
  CHECK(*std::max_element(late.begin(), late.end()) > 2 * *std::max_element(early.begin(), early.end()));
}

TEST_CASE("vessel_rays: wrong arguments are refused", "[vessel_rays]") {
  Context ctx = test::make_context();
  const VesselTree tree = two_nodes({0, 0, 0}, 1, {0, 0, 5}, 1);
  const ContrastCurves curves = flat_curves(2, 1);
  const Detector detector{8, 8, 1, 1};
  const Pose pose = pose_from_x();
  const VolumeGrid grid{4, 4, 4, {1, 1, 1}, {}};
  CHECK_THROWS_AS(vessel_line_integrals(ctx, tree, curves, pose, detector, 0, 1), InvalidArgument);
  CHECK_THROWS_AS(vessel_line_integrals(ctx, tree, curves, pose, {0, 8, 1, 1}, 1, 1), InvalidArgument);
  CHECK_THROWS_AS(vessel_line_integrals(ctx, tree, flat_curves(3, 1), pose, detector, 1, 1), InvalidArgument);
  CHECK_THROWS_AS(vessel_line_integrals(ctx, two_nodes({}, 0, {0, 0, 5}, 1), curves, pose, detector, 1, 1),
                  InvalidArgument);
  CHECK_THROWS_AS(vessel_volume(ctx, tree, curves, grid, 0, {1}), InvalidArgument);
  CHECK_THROWS_AS(vessel_volume(ctx, tree, curves, grid, 1, {}), InvalidArgument);
  CHECK_THROWS_AS(vessel_volume(ctx, tree, flat_curves(1, 1), grid, 1, {1}), InvalidArgument);
  CHECK_THROWS_AS(vessel_volume(ctx, tree, curves, {4, 4, 0, {1, 1, 1}, {}}, 1, {1}), InvalidArgument);
  const int most = std::numeric_limits<int>::max();
  CHECK_THROWS_AS(vessel_line_integrals(ctx, tree, curves, pose, detector, most, 1), InvalidArgument);
  CHECK_THROWS_AS(vessel_line_integrals(ctx, tree, curves, pose, detector, 1, NAN), InvalidArgument);
  CHECK_THROWS_AS(vessel_volume(ctx, tree, curves, grid, most, {1}), InvalidArgument);
  CHECK_THROWS_AS(vessel_volume(ctx, tree, curves, grid, 1, {1, HUGE_VAL}), InvalidArgument);
  const auto empty = vessel_line_integrals(ctx, {}, flat_curves(0, 1), pose, detector, 1, 1);
  CHECK((empty == std::vector<float>(64, 0.0f)));
}
