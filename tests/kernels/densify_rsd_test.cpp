// SPDX-License-Identifier: Apache-2.0
// What residual-guided splitting and pixel weights add to density control.

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>
#include <vector>

#include "common/gaussian_math.hpp"
#include "densify/densify.hpp"
#include "dsasrgs/error.hpp"
#include "oracle/densify_oracle.hpp"
#include "support/context.hpp"
#include "support/host_plan.hpp"
#include "support/projected_cloud.hpp"
#include "support/random_values.hpp"

namespace dsasrgs {
namespace {

using Catch::Matchers::Contains;
using test::HostPlan;

constexpr Birth kKept = Birth::kept, kClone = Birth::clone, kSplit = Birth::split_child;
const ScaleBounds kBounds{0.05f, 6};
const Detector kDetector{300, 200, 0.4, 0.4};

struct Statistics {
  std::vector<float> norm, density;
  std::vector<std::uint32_t> visible;
  std::uint32_t steps = 10;
  std::vector<float> pixels;
  bool operator==(const Statistics&) const = default;
};
DensityStatistics from_host(Context& ctx, const Statistics& s) {
  return {Buffer<float>::from_host(ctx, s.norm), Buffer<float>::from_host(ctx, s.density),
          Buffer<std::uint32_t>::from_host(ctx, s.visible), s.steps, Buffer<float>::from_host(ctx, s.pixels)};
}
Statistics to_host(Context& ctx, const DensityStatistics& s) {
  return {s.gradient_norm.to_host(ctx), s.density.to_host(ctx), s.visible_steps.to_host(ctx), s.steps,
          s.pixels.to_host(ctx)};
}

struct Scene {
  std::vector<float> position, raw_scale, rotation;
  Statistics statistics;
  DensityControl control;
  std::size_t size() const { return statistics.norm.size(); }
};

/// n Gaussians, some outside, some faint, many with the same score; RSD's settings.
Scene random_scene(std::size_t n) {
  Scene s;
  s.position = test::random_values(3 * n, -10.5f, 10.5f, 1);
  s.raw_scale = test::random_values(3 * n, -4.0f, 0.0f, 2);
  s.rotation = test::random_values(4 * n, -1.0f, 1.0f, 3);
  s.statistics.norm = test::random_values(n, 0.0f, 4.0f, 4);
  for (float& g : s.statistics.norm) g = std::round(g * 16) / 16;
  s.statistics.density = test::random_values(n, 0.05f, 1.0f, 5);
  s.statistics.visible.assign(n, 4);
  s.control.box = {10, 10, 10, {2, 2, 2}, {-10, -10, -10}};
  s.control.gradient_threshold = 0.5f;
  s.control.min_mean_density = 0.01f;
  s.control.split_scale_mm = 1.5f;
  s.control.clone = s.control.prune = false;
  return s;
}

HostPlan plan_of(Context& ctx, const Scene& s) {
  const auto p = Buffer<float>::from_host(ctx, s.position), r = Buffer<float>::from_host(ctx, s.raw_scale),
             q = Buffer<float>::from_host(ctx, s.rotation);
  return test::to_host(ctx, plan_density_control(ctx, s.control, {p, r, q, kBounds}, from_host(ctx, s.statistics)));
}
HostPlan plan_of(const Scene& s) {
  Context ctx = test::make_context();
  return plan_of(ctx, s);
}

double scale_of(const Scene& s, std::size_t i) {
  const float raw = *std::max_element(s.raw_scale.begin() + 3 * i, s.raw_scale.begin() + 3 * i + 3);
  return 0.05 + 5.95 / (1 + std::exp(-static_cast<double>(raw)));
}

/// `parents` equal Gaussians, each split into `children`; what place_children makes of them.
struct Split {
  std::vector<float> position, raw_scale;
};
Split split(Context& ctx, const DensityControl& control, std::size_t parents, Vec3f scale, Quat<float> q) {
  const auto children = static_cast<std::size_t>(control.split_children);
  HostPlan plan;
  plan.num_sources = parents;
  std::vector<float> raw_scale, rotation;
  for (std::size_t j = 0; j < parents * children; ++j) {
    plan.source.push_back(static_cast<std::uint32_t>(j / children));
    plan.birth.push_back(kSplit);
    plan.child.push_back(static_cast<std::uint8_t>(j % children));
    for (const float s : {scale.x, scale.y, scale.z})
      raw_scale.push_back(raw_scale_from(s, kBounds.min_mm, kBounds.max_mm));
    rotation.insert(rotation.end(), {q.w, q.x, q.y, q.z});
  }
  auto p = Buffer<float>::zeros(ctx, 3 * plan.source.size()), s = Buffer<float>::from_host(ctx, raw_scale);
  place_children(ctx, control, test::from_host(ctx, plan), kBounds, p, s, Buffer<float>::from_host(ctx, rotation));
  return {p.to_host(ctx), s.to_host(ctx)};
}
Vec3f child_scale(const Split& s, std::size_t j) {
  return bounded_scale<float>({s.raw_scale[3 * j], s.raw_scale[3 * j + 1], s.raw_scale[3 * j + 2]}, kBounds.min_mm,
                              kBounds.max_mm);
}
DensityControl rsd_control(int children) {
  DensityControl control;
  control.split_children = children;
  control.split_shrink = rsd_split(children).shrink;
  control.split_spread = rsd_split(children).spread;
  return control;
}

}  // namespace

TEST_CASE("densify: a mass-conserving split keeps the parent's mass", "[densify]") {
  Context ctx = test::make_context();
  CHECK(rsd_split(1).shrink == 1);
  CHECK(rsd_split(1).spread == 0);
  CHECK(rsd_split(2).shrink == Approx(1.259921));
  CHECK(rsd_split(2).spread == Approx(1 - 0.6299605));
  CHECK(rsd_split(8).shrink == 2);
  CHECK(rsd_split(8).spread == 0.75f);
  CHECK_THROWS_WITH(rsd_split(0), Contains("children: expected 1 or more, found 0"));

  constexpr double kDensity = 0.02;
  const auto mass = [](Vec3f s) {
    return kDensity * std::pow(2 * std::numbers::pi, 1.5) * static_cast<double>(s.x) * s.y * s.z;
  };
  for (const Vec3f scale : {Vec3f{0.5f, 1.5f, 3.0f}, Vec3f{0.2f, 0.2f, 5.0f}})
    for (const int children : {1, 2, 3, 7}) {
      const Split s = split(ctx, rsd_control(children), 1, scale, {0.9f, 0.2f, -0.5f, 0.3f});
      double total = 0;
      for (std::size_t j = 0; j < static_cast<std::size_t>(children); ++j) total += mass(child_scale(s, j));
      CHECK(std::abs(total / mass(scale) - 1) < 1e-5);
    }
  // A scale that cannot shrink any further leaves the children too heavy; it is never below the bound.
  const Split least = split(ctx, rsd_control(2), 1, {0.056f, 1, 1}, {1, 0, 0, 0});
  CHECK(child_scale(least, 0).x > kBounds.min_mm);
}

TEST_CASE("densify: a mass-conserving split keeps the second moments in expectation", "[densify]") {
  Context ctx = test::make_context();
  const std::size_t parents = test::is_emulated(ctx) ? 20000 : 100000;
  constexpr std::size_t kChildren = 3;
  const Vec3f scale{0.5f, 1.5f, 3.0f};
  const Split s = split(ctx, rsd_control(kChildren), parents, scale, {0.9f, 0.2f, -0.5f, 0.3f});
  const Mat3<double> r = rotation_matrix<double>({0.9, 0.2, -0.5, 0.3});
  const std::array<Vec3d, 3> row{r.r0, r.r1, r.r2};
  const auto covariance = [&](Vec3d s2, std::size_t a, std::size_t b) {
    return row[a].x * row[b].x * s2.x + row[a].y * row[b].y * s2.y + row[a].z * row[b].z * s2.z;
  };
  const Vec3f child = child_scale(s, 0);
  const Vec3d own{std::pow(child.x, 2), std::pow(child.y, 2), std::pow(child.z, 2)}, parent{0.25, 2.25, 9};
  const double n = static_cast<double>(parents * kChildren);
  for (std::size_t a = 0; a < 3; ++a)
    for (std::size_t b = 0; b < 3; ++b) {
      double offsets = 0;
      for (std::size_t j = 0; j < parents * kChildren; ++j)
        offsets += static_cast<double>(s.position[3 * j + a]) * s.position[3 * j + b] / n;
      // Five standard deviations of the mean of n products of normal numbers.
      const double sigma_ab = covariance(parent, a, b), alpha = 1 - std::pow(3.0, -2.0 / 3);
      const double deviation =
          alpha * std::sqrt((covariance(parent, a, a) * covariance(parent, b, b) + sigma_ab * sigma_ab) / n);
      CHECK(std::abs(offsets + covariance(own, a, b) - sigma_ab) < 5 * deviation);
    }
}

TEST_CASE("densify: spread scales the children's offsets and nothing else", "[densify]") {
  Context ctx = test::make_context();
  DensityControl control;
  const Quat<float> q{0.5f, 0.5f, -0.1f, 0.3f};
  const Split full = split(ctx, control, 400, {0.5f, 1.5f, 3.0f}, q);
  control.split_spread = 0.25f;
  const Split half = split(ctx, control, 400, {0.5f, 1.5f, 3.0f}, q);
  for (std::size_t i = 0; i < full.position.size(); ++i) REQUIRE(half.position[i] == full.position[i] / 2);
  CHECK(half.raw_scale == full.raw_scale);
  control.split_spread = 0;
  CHECK(split(ctx, control, 400, {0.5f, 1.5f, 3.0f}, q).position == std::vector<float>(full.position.size(), 0.0f));
  control.split_spread = -0.1f;
  CHECK_THROWS_WITH(split(ctx, control, 1, {1, 1, 1}, q), Contains("split_spread: expected 0 or more"));
  control.split_spread = INFINITY;
  CHECK_THROWS_AS(split(ctx, control, 1, {1, 1, 1}, q), InvalidArgument);
}

TEST_CASE("densify: without clones and pruning only large Gaussians change", "[densify]") {
  for (const std::size_t cap : {std::size_t{0}, std::size_t{2100}}) {
    constexpr std::size_t n = 2003;
    Scene s = random_scene(n);
    s.control.max_gaussians = cap;
    s.position[3] = NAN;  // neither pruned nor split
    std::vector<test::OracleRule> rules;
    for (std::size_t i = 0; i < n; ++i) {
      bool fit = s.statistics.density[i] / 10 >= 0.01f;
      for (std::size_t a = 0; a < 3; ++a) fit = fit && std::abs(s.position[3 * i + a]) <= 10;
      const double scale = scale_of(s, i);
      // Those that may not split have no score to split by.
      rules.push_back({true, fit && scale > 1.5 ? s.statistics.norm[i] / 4 : 0.0, scale});
    }
    const test::OraclePlan expected = test::oracle_plan(rules, 0.5, 1.5, 2, cap);
    const HostPlan plan = plan_of(s);
    CHECK(std::vector<std::size_t>(plan.source.begin(), plan.source.end()) == expected.source);
    CHECK(plan.cloned == 0);
    CHECK(plan.pruned == 0);
    CHECK(plan.split > 50);
    CHECK(plan.source.size() == n + plan.split);
    s.control.prune = true;
    CHECK(plan_of(s).pruned > 100);
    CHECK(plan_of(s).cloned == 0);
  }
}

TEST_CASE("densify: a view counts as much as the Gaussian covers pixels", "[densify]") {
  Context ctx = test::make_context();
  // A circle of radius 3.5·σ: 3.5²π·σ² px, unless the image cuts its box; and a thin ellipse, turned by 45°.
  const auto disc = [](float sigma) { return std::array<float, 3>{1 / (sigma * sigma), 0, 1 / (sigma * sigma)}; };
  const std::array<float, 3> thin{(1 / 100.0f + 1 / 0.01f) / 2, (1 / 100.0f - 1 / 0.01f) / 2,
                                  (1 / 100.0f + 1 / 0.01f) / 2};
  const auto step = [&](DensityStatistics& s, const std::vector<std::array<float, 3>>& conics,
                        const std::vector<PixelBox>& box, const std::vector<float>& grad) {
    std::vector<float> conic;
    for (const auto& c : conics) conic.insert(conic.end(), c.begin(), c.end());
    density_statistics_add(ctx, kDetector, Buffer<float>::from_host(ctx, grad), Buffer<PixelBox>::from_host(ctx, box),
                           Buffer<float>::from_host(ctx, std::vector<float>(4, 0.5f)), s,
                           Buffer<float>::from_host(ctx, conic));
  };
  DensityStatistics statistics = DensityStatistics::zeros(ctx, 4, true);
  step(statistics, {disc(2), disc(2), thin, disc(2)}, {{50, 50, 64, 64}, {0, 0, 4, 7}, {0, 0, 100, 100}, {5, 5, 5, 9}},
       {0.02f, 0, 0.02f, 0, 0, 0.01f, 1, 1});
  const double area = 3.5 * 3.5 * std::numbers::pi;
  const Statistics first = to_host(ctx, statistics);
  CHECK(first.pixels[0] == Approx(4 * area).epsilon(1e-6));
  CHECK(first.pixels[1] == 28);
  CHECK(first.pixels[2] == Approx(area).epsilon(1e-3));  // σ = 10 and 0.1
  CHECK(first.pixels[3] == 0);
  // 0.02·150 = 3, 0.01·100 = 1.
  CHECK(first.norm[0] == Approx(3 * 4 * area));
  CHECK(first.norm[1] == Approx(3 * 28));
  CHECK(first.norm[2] == Approx(area).epsilon(1e-3));
  CHECK(first.norm[3] == 0);
  CHECK(first.visible == std::vector<std::uint32_t>{1, 1, 1, 0});

  step(statistics, {disc(4), disc(4), thin, disc(4)}, {{0, 0, 99, 99}, {0, 0, 2, 6}, {3, 3, 3, 3}, {9, 9, 9, 9}},
       {0.04f, 0, 0, 0, 1, 1, 1, 1});
  // Means: (1·3 + 4·6)/5 = 5.4, (28·3 + 12·0)/40 = 2.1, 1, none.
  Scene s = random_scene(4);
  s.statistics = to_host(ctx, statistics);
  s.position.assign(12, 0.0f);
  s.raw_scale.assign(12, 0.0f);
  const auto splits = [&](float threshold) {
    s.control.gradient_threshold = threshold;
    return plan_of(s).split;
  };
  CHECK(splits(5.39f) == 1);
  CHECK(splits(5.41f) == 0);
  CHECK(splits(2.09f) == 2);
  CHECK(splits(2.11f) == 1);
  CHECK(splits(0.99f) == 3);
  CHECK(splits(1.01f) == 2);
  CHECK(splits(0) == 3);

  CHECK_THROWS_WITH(density_statistics_add(ctx, kDetector, Buffer<float>::zeros(ctx, 8),
                                           Buffer<PixelBox>::zeros(ctx, 4), Buffer<float>::zeros(ctx, 4), statistics),
                    Contains("conic: expected 12 elements, found 0"));
  CHECK(statistics.steps == 2);
}

TEST_CASE("densify: without pixel weights the conic is not read", "[densify]") {
  Context ctx = test::make_context();
  const auto grad = Buffer<float>::from_host(ctx, test::random_values(2 * 300, -1e-3f, 1e-3f, 1));
  const auto density = Buffer<float>::from_host(ctx, test::random_values(300, 0.0f, 0.1f, 2));
  const auto box = Buffer<PixelBox>::from_host(ctx, std::vector<PixelBox>(300, {1, 1, 5, 5}));
  const auto nonsense = Buffer<float>::from_host(ctx, std::vector<float>(900, NAN));
  DensityStatistics with = DensityStatistics::zeros(ctx, 300), without = DensityStatistics::zeros(ctx, 300);
  density_statistics_add(ctx, kDetector, grad, box, density, with, nonsense);
  density_statistics_add(ctx, kDetector, grad, box, density, without);
  CHECK(to_host(ctx, with) == to_host(ctx, without));
  CHECK_FALSE(with.weighs_pixels());
}

TEST_CASE("densify: running statistics follow the cloud through another event", "[densify]") {
  Context ctx = test::make_context();
  HostPlan plan;
  plan.num_sources = 4;
  plan.source = {3, 1, 1, 0, 0};
  plan.birth = {kKept, kKept, kClone, kSplit, kSplit};
  plan.child = {0, 0, 0, 0, 1};
  Statistics s{{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 0xff800001u}, 12, {}};  // also bits of a signalling NaN
  const auto gathered = [&] {
    return to_host(ctx, gather_statistics(ctx, test::from_host(ctx, plan), from_host(ctx, s)));
  };
  Statistics expected{{4, 2, 0, 0, 0}, {8, 6, 6, 5, 5}, {0xff800001u, 10, 0, 0, 0}, 12, {}};
  CHECK(gathered() == expected);
  s.pixels = {0.5f, 1.5f, 2.5f, 3.5f};
  expected.pixels = {3.5f, 1.5f, 0, 0, 0};
  CHECK(gathered() == expected);
  s.pixels.pop_back();
  CHECK_THROWS_WITH(gathered(), Contains("statistics.pixels: expected 4 elements, found 3"));
  plan.num_sources = 3;
  CHECK_THROWS_AS(gathered(), InvalidArgument);
}

TEST_CASE("densify: CUDA agrees with the CPU in residual-guided splits and pixel weights", "[densify][parity]") {
  Context cpu = Context::cpu(1), other = test::make_context();
  for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{2501}}) {
    Scene s = random_scene(n);
    for (const bool weighted : {false, true}) {
      if (weighted) s.statistics.pixels = test::random_values(n, 0.0f, 20.0f, 6);
      for (const bool clone : {false, true})
        for (const bool prune : {false, true})
          for (const std::size_t cap : {std::size_t{0}, n, n + n / 20}) {
            s.control.clone = clone;
            s.control.prune = prune;
            s.control.max_gaussians = cap;
            CHECK(plan_of(other, s) == plan_of(cpu, s));
          }
    }

    const test::TestCloud cloud = test::random_cloud(n, {0.05f, 4}, 40, 7);
    const Pose pose = carm_pose({}, 0);
    const auto statistics = [&](Context& ctx) {
      test::ProjectedCloud p(cpu, cloud, pose, kDetector, false);  // the same input for both
      DensityStatistics sums = DensityStatistics::zeros(ctx, n, true);
      for (int step = 0; step < 2; ++step)
        density_statistics_add(
            ctx, kDetector, Buffer<float>::from_host(ctx, test::random_values(2 * n, -1e-3f, 1e-3f, 8)),
            Buffer<PixelBox>::from_host(ctx, p.box.to_host(cpu)), Buffer<float>::from_host(ctx, cloud.density), sums,
            Buffer<float>::from_host(ctx, p.conic.to_host(cpu)));
      return to_host(ctx, sums);
    };
    const Statistics expected = statistics(cpu), found = statistics(other);
    CHECK(found.visible == expected.visible);
    CHECK(found.density == expected.density);
    const auto worst = [](const std::vector<float>& a, const std::vector<float>& b) {
      double most = 0;
      for (std::size_t i = 0; i < a.size(); ++i)
        if (a[i] != b[i]) most = std::max(most, std::abs(static_cast<double>(a[i]) / b[i] - 1));
      return most;
    };
    CHECK(worst(found.norm, expected.norm) < 1e-6);
    CHECK(worst(found.pixels, expected.pixels) < 1e-6);

    const DensityControl control = rsd_control(3);
    const Split a = split(cpu, control, n, {0.5f, 1.5f, 3.0f}, {0.9f, 0.2f, -0.5f, 0.3f}),
                b = split(other, control, n, {0.5f, 1.5f, 3.0f}, {0.9f, 0.2f, -0.5f, 0.3f});
    double error = 0, norm = 0;
    for (std::size_t i = 0; i < a.position.size(); ++i) {
      error += std::pow(static_cast<double>(a.position[i]) - b.position[i], 2);
      norm += std::pow(static_cast<double>(a.position[i]), 2);
    }
    CHECK(std::sqrt(error) <= 2e-6 * std::sqrt(norm));
    CHECK(worst(a.raw_scale, b.raw_scale) < 2e-6);
  }
}

}  // namespace dsasrgs
