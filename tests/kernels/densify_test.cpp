// SPDX-License-Identifier: Apache-2.0
#include "densify/densify.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "common/gaussian_math.hpp"
#include "dsasrgs/error.hpp"
#include "oracle/densify_oracle.hpp"
#include "support/bad_bounds.hpp"
#include "support/context.hpp"
#include "support/host_plan.hpp"
#include "support/random_values.hpp"

namespace dsasrgs {
namespace {

using Catch::Matchers::Contains;
using test::HostPlan;

const VolumeGrid kBox{10, 10, 10, {2, 2, 2}, {-10, -10, -10}};
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// A cloud with its statistics, on the host.
struct Scene {
  std::vector<float> position, raw_scale, rotation, gradient_norm, density;
  std::vector<std::uint32_t> visible;
  std::uint32_t steps = 10;
  ScaleBounds bounds{0.1f, 4.0f};
  DensityControl control;

  Scene() {
    control.box = kBox;
    control.split_scale_mm = 1;
    control.gradient_threshold = 0.5f;
    control.min_mean_density = 0.01f;
  }
  std::size_t size() const { return density.size(); }
  /// A Gaussian at the origin, with a mean score and a mean density.
  void add(float score, float scale_mm, float mean_density = 1) {
    position.insert(position.end(), {0, 0, 0});
    raw_scale.insert(raw_scale.end(), 3, raw_scale_from(scale_mm, bounds.min_mm, bounds.max_mm));
    rotation.insert(rotation.end(), {1, 0, 0, 0});
    visible.push_back(4);
    gradient_norm.push_back(4 * score);
    density.push_back(static_cast<float>(steps) * mean_density);
  }
};

HostPlan plan_of(Context& ctx, const Scene& s) {
  const auto p = Buffer<float>::from_host(ctx, s.position), r = Buffer<float>::from_host(ctx, s.raw_scale),
             q = Buffer<float>::from_host(ctx, s.rotation);
  DensityStatistics statistics{Buffer<float>::from_host(ctx, s.gradient_norm), Buffer<float>::from_host(ctx, s.density),
                               Buffer<std::uint32_t>::from_host(ctx, s.visible), s.steps};
  return test::to_host(ctx, plan_density_control(ctx, s.control, {p, r, q, s.bounds}, statistics));
}
HostPlan plan_of(const Scene& s, int threads = 2) {
  Context ctx = test::make_context(threads);
  return plan_of(ctx, s);
}

/// n Gaussians, some outside, some faint, many with the same score.
Scene random_scene(std::size_t n) {
  Scene s;
  s.position = test::random_values(3 * n, -10.5f, 10.5f, 1);
  s.raw_scale = test::random_values(3 * n, -4.0f, 0.0f, 2);
  s.rotation = test::random_values(4 * n, -1.0f, 1.0f, 3);
  s.gradient_norm = test::random_values(n, 0.0f, 4.0f, 4);
  for (float& g : s.gradient_norm) g = std::round(g * 16) / 16;
  s.density = test::random_values(n, 0.05f, 1.0f, 5);
  s.visible.assign(n, 4);
  return s;
}

using Sources = std::vector<std::uint32_t>;
using Births = std::vector<Birth>;
constexpr Birth kKept = Birth::kept, kClone = Birth::clone, kSplit = Birth::split_child;

}  // namespace

TEST_CASE("densify: statistics sum normalised gradients of visible Gaussians and densities of all", "[densify]") {
  Context ctx = test::make_context();
  const Detector detector{200, 100, 0.3, 0.3};
  DensityStatistics statistics = DensityStatistics::zeros(ctx, 3);
  const auto box = Buffer<PixelBox>::from_host(ctx, {{0, 0, 4, 4}, {5, 5, 5, 9}, {1, 1, 2, 2}});
  const auto density = Buffer<float>::from_host(ctx, {0.5f, 0.25f, 2.0f});
  density_statistics_add(ctx, detector, Buffer<float>::from_host(ctx, {0.03f, 0.08f, 1, 1, 0, 0}), box, density,
                         statistics);
  density_statistics_add(ctx, detector, Buffer<float>::from_host(ctx, {-0.01f, 0, 1, 1, 0, -0.1f}), box, density,
                         statistics);
  CHECK(statistics.steps == 2);
  CHECK(statistics.visible_steps.to_host(ctx) == std::vector<std::uint32_t>{2, 0, 2});
  CHECK(statistics.density.to_host(ctx) == std::vector<float>{1.0f, 0.5f, 4.0f});
  // ‖(0.03·100, 0.08·50)‖ = 5, then 1; 0, then 5. The second Gaussian's box is empty.
  const std::vector<float> norm = statistics.gradient_norm.to_host(ctx);
  CHECK(norm[0] == Approx(6));
  CHECK(norm[1] == 0);
  CHECK(norm[2] == Approx(5));
}

TEST_CASE("densify: survivors come first, then births in the order of their parents", "[densify]") {
  Scene s;
  s.add(0.4f, 2);         // below the threshold: kept
  s.add(0.6f, 2);         // split
  s.add(0.6f, 0.5f);      // cloned
  s.add(9.0f, 2, 1e-3f);  // pruned, whatever its score
  s.add(0.7f, 3);         // split
  s.add(0.5f, 0.5f);      // exactly the threshold: kept
  const HostPlan plan = plan_of(s);
  CHECK(plan.source == Sources{0, 2, 5, 1, 1, 2, 4, 4});
  CHECK(plan.birth == Births{kKept, kKept, kKept, kSplit, kSplit, kClone, kSplit, kSplit});
  CHECK(plan.child == std::vector<std::uint8_t>{0, 0, 0, 0, 1, 0, 0, 1});
  CHECK(plan.cloned == 1);
  CHECK(plan.split == 2);
  CHECK(plan.pruned == 1);
}

TEST_CASE("densify: a split has as many children as asked", "[densify]") {
  Scene s;
  s.control.split_children = 5;
  s.add(1, 2);
  const HostPlan plan = plan_of(s);
  CHECK(plan.source == Sources(5, 0));
  CHECK(plan.child == std::vector<std::uint8_t>{0, 1, 2, 3, 4});
}

TEST_CASE("densify: the largest of three scales decides between clone and split", "[densify]") {
  Scene s;
  s.add(1, 0.5f);
  s.raw_scale[2] = raw_scale_from(1.05f, s.bounds.min_mm, s.bounds.max_mm);
  s.add(1, 0.5f);
  s.raw_scale[4] = raw_scale_from(0.95f, s.bounds.min_mm, s.bounds.max_mm);
  const HostPlan plan = plan_of(s);
  CHECK(plan.split == 1);
  CHECK(plan.source == Sources{1, 0, 0, 1});
}

TEST_CASE("densify: Gaussians outside the box, not finite, or too faint on average are pruned", "[densify]") {
  Scene s;
  for (int i = 0; i < 12; ++i) s.add(0, 0.5f);
  s.position[3 * 1] = 10.01f;
  s.position[3 * 2 + 1] = -10.01f;
  s.position[3 * 3 + 2] = kNan;
  s.position[3 * 4 + 2] = std::numeric_limits<float>::infinity();
  s.raw_scale[3 * 5] = kNan;
  s.rotation[4 * 6 + 3] = kNan;
  s.density[7] = 10 * 0.0099f;
  s.density[8] = 10 * 0.0101f;
  s.density[9] = kNan;
  s.visible[10] = 1;  // the density mean is over all steps, not the visible ones
  s.density[10] = 0.05f;
  s.position[3 * 11] = 9.99f;
  const HostPlan plan = plan_of(s);
  CHECK(plan.source == Sources{0, 8, 11});
  CHECK(plan.pruned == 9);
}

TEST_CASE("densify: the score is the mean over visible steps, 0 for a Gaussian never seen", "[densify]") {
  Scene s;
  s.add(1, 0.5f);
  s.add(1, 0.5f);
  s.add(1, 0.5f);
  s.visible = {9, 7, 0};
  s.gradient_norm = {4, 4, 4};  // means 0.44, 0.57, none
  const HostPlan plan = plan_of(s);
  CHECK(plan.source == Sources{0, 1, 2, 1});
}

TEST_CASE("densify: a gradient that is not a number selects nothing", "[densify]") {
  Scene s;
  s.add(kNan, 2);
  s.add(1, 2);
  s.control.max_gaussians = 2;
  CHECK(plan_of(s).source == Sources{0, 1});
}

TEST_CASE("densify: above every score only pruning happens", "[densify]") {
  Scene s;
  s.control.gradient_threshold = 10;
  s.add(5, 2);
  s.add(5, 2, 0);
  s.add(5, 0.5f);
  const HostPlan plan = plan_of(s);
  CHECK(plan.source == Sources{0, 2});
  CHECK(plan.birth == Births{kKept, kKept});
  CHECK(plan.cloned + plan.split == 0);
}

TEST_CASE("densify: under the cap the largest scores are born, ties by index", "[densify]") {
  Scene s;
  for (const float score : {0.6f, 0.9f, 0.7f, 0.9f, 0.7f, 0.1f}) s.add(score, 0.5f);
  s.add(5, 0.5f, 0);  // pruned: makes room
  s.control.max_gaussians = 9;
  CHECK(plan_of(s).source == Sources{0, 1, 2, 3, 4, 5, 1, 2, 3});
  s.control.max_gaussians = 7;
  CHECK(plan_of(s).source == Sources{0, 1, 2, 3, 4, 5, 1});
  s.control.max_gaussians = 6;
  CHECK(plan_of(s).source == Sources{0, 1, 2, 3, 4, 5});
  s.control.max_gaussians = 3;  // already more: no births, and no other deaths
  CHECK(plan_of(s).source == Sources{0, 1, 2, 3, 4, 5});
  s.control.max_gaussians = 11;
  CHECK(plan_of(s).source.size() == 11);
}

TEST_CASE("densify: plans agree with the rules applied one by one", "[densify]") {
  for (const std::size_t cap : {std::size_t{0}, std::size_t{4500}, std::size_t{5100}}) {
    for (const int children : {1, 2, 3}) {
      constexpr std::size_t n = 5003;
      Scene s = random_scene(n);
      s.control.max_gaussians = cap;
      s.control.split_children = children;
      std::vector<test::OracleRule> rules;
      for (std::size_t i = 0; i < n; ++i) {
        bool inside = true;
        for (std::size_t a = 0; a < 3; ++a) inside = inside && std::abs(s.position[3 * i + a]) <= 10;
        const float raw = *std::max_element(s.raw_scale.begin() + 3 * i, s.raw_scale.begin() + 3 * i + 3);
        rules.push_back({inside && s.density[i] / 10 >= 0.01f, s.gradient_norm[i] / 4,
                         0.1 + 3.9 / (1 + std::exp(-static_cast<double>(raw)))});
      }
      const test::OraclePlan expected = test::oracle_plan(rules, 0.5, 1, children, cap);
      const HostPlan plan = plan_of(s);
      CHECK(std::vector<std::size_t>(plan.source.begin(), plan.source.end()) == expected.source);
      std::vector<int> child;
      for (std::size_t j = 0; j < plan.source.size(); ++j)
        child.push_back(plan.birth[j] == kKept ? -2 : plan.birth[j] == kClone ? -1 : plan.child[j]);
      CHECK(child == expected.child);
      if (cap != 0) CHECK(plan.source.size() <= cap);
      CHECK(plan_of(s, 1) == plan);
    }
  }
}

TEST_CASE("densify: nothing to do keeps everything, and everything can be pruned", "[densify]") {
  Scene s;
  for (int i = 0; i < 5; ++i) s.add(0.1f, 1);
  const HostPlan same = plan_of(s);
  CHECK(same.source == Sources{0, 1, 2, 3, 4});
  CHECK(same.birth == Births(5, kKept));
  CHECK(same.cloned + same.split + same.pruned == 0);

  s.density.assign(5, 0.0f);
  const HostPlan none = plan_of(s);
  CHECK(none.source.empty());
  CHECK(none.pruned == 5);
  CHECK(plan_of(Scene()).source.empty());

  s.steps = 0;  // nothing is known of densities yet
  CHECK(plan_of(s).source.size() == 5);
}

TEST_CASE("densify: wrong statistics and settings are refused", "[densify]") {
  Context ctx = test::make_context();
  Scene s;
  s.add(1, 2);
  s.add(1, 2);
  const auto throws = [](const Scene& scene, const std::string& what) {
    CHECK_THROWS_AS(plan_of(scene), InvalidArgument);
    CHECK_THROWS_WITH(plan_of(scene), Contains(what));
  };
  const auto broken = [&](auto&& change) {
    Scene scene = s;
    change(scene);
    return scene;
  };
  throws(broken([](Scene& b) { b.position.pop_back(); }), "position_mm: expected 3 elements, found 5");
  throws(broken([](Scene& b) { b.raw_scale.pop_back(); }), "raw_scale");
  throws(broken([](Scene& b) { b.rotation.pop_back(); }), "rotation");
  throws(broken([](Scene& b) { b.gradient_norm.pop_back(); }), "gradient_norm");
  throws(broken([](Scene& b) { b.density.pop_back(); }), "density");
  throws(broken([](Scene& b) { b.visible.pop_back(); }), "visible_steps");
  for (const ScaleBounds bounds : test::kBadBounds)
    throws(broken([&](Scene& b) { b.bounds = bounds; }), "bounds: expected 0 < min_mm < max_mm");
  throws(broken([](Scene& b) { b.control.box = {}; }), "box: expected a box with positive sides");
  throws(broken([](Scene& b) { b.control.split_children = 0; }), "split_children: expected 1 to 255, found 0");
  throws(broken([](Scene& b) { b.control.split_children = 256; }), "split_children");
  throws(broken([](Scene& b) { b.control.split_shrink = 0; }), "split_shrink");

  DensityStatistics statistics = DensityStatistics::zeros(ctx, 2);
  const auto two = Buffer<float>::zeros(ctx, 2), four = Buffer<float>::zeros(ctx, 4);
  const auto boxes = Buffer<PixelBox>::zeros(ctx, 2), one_box = Buffer<PixelBox>::zeros(ctx, 1);
  const Detector detector{4, 4, 1, 1};
  CHECK_THROWS_WITH(density_statistics_add(ctx, detector, two, boxes, two, statistics), Contains("grad_mean_px"));
  CHECK_THROWS_WITH(density_statistics_add(ctx, detector, four, one_box, two, statistics), Contains("box"));
  DensityStatistics other = DensityStatistics::zeros(ctx, 3);
  CHECK_THROWS_WITH(density_statistics_add(ctx, detector, four, boxes, two, other), Contains("statistics"));
  CHECK(other.steps == 0);
}

TEST_CASE("densify: CUDA makes the CPU's plan", "[densify][parity]") {
  Context cpu = Context::cpu(1), other = test::make_context();
  for (const std::size_t n : {0, 1, 31, 256, 257, 3001}) {
    Scene s = random_scene(n);
    const std::size_t alive = [&] {
      Scene prune_only = s;
      prune_only.control.gradient_threshold = std::numeric_limits<float>::infinity();
      return plan_of(cpu, prune_only).source.size();
    }();
    for (const int children : {1, 2, 3, 7, 255})
      for (const std::size_t room :
           {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{5}, n / 7, n / 3, 3 * n})
        for (const bool below : {false, true}) {
          s.control.split_children = children;
          s.control.max_gaussians = below ? alive - std::min(alive, room) : alive + room;
          CAPTURE(n, children, s.control.max_gaussians);
          CHECK(plan_of(other, s) == plan_of(cpu, s));
        }
    s.control.max_gaussians = 0;
    CHECK(plan_of(other, s) == plan_of(cpu, s));
    s.control.gradient_threshold = -1;  // scores of 0 are selected
    s.control.max_gaussians = alive + n / 2;
    CHECK(plan_of(other, s) == plan_of(cpu, s));
  }
}

TEST_CASE("densify: CUDA's statistics agree with the CPU's", "[densify][parity]") {
  Context cpu = Context::cpu(1), other = test::make_context();
  for (const std::size_t n : {0, 1, 3001}) {
    const std::vector<float> grad = test::random_values(2 * n, -1e-3f, 1e-3f, 1),
                             density = test::random_values(n, 0.0f, 0.1f, 2);
    std::vector<PixelBox> box;
    for (std::size_t i = 0; i < n; ++i) box.push_back({3, 4, static_cast<std::int32_t>(i % 7), 9});
    struct Sums {
      std::vector<float> norm, density;
      std::vector<std::uint32_t> visible;
    };
    const auto sums = [&](Context& ctx) {
      DensityStatistics s = DensityStatistics::zeros(ctx, n);
      for (int step = 0; step < 3; ++step)
        density_statistics_add(ctx, {512, 384, 0.3, 0.3}, Buffer<float>::from_host(ctx, grad),
                               Buffer<PixelBox>::from_host(ctx, box), Buffer<float>::from_host(ctx, density), s);
      CHECK(s.steps == 3);
      return Sums{s.gradient_norm.to_host(ctx), s.density.to_host(ctx), s.visible_steps.to_host(ctx)};
    };
    const Sums expected = sums(cpu), found = sums(other);
    CHECK(found.density == expected.density);
    CHECK(found.visible == expected.visible);
    double worst = 0;
    for (std::size_t i = 0; i < n; ++i)
      if (expected.norm[i] != found.norm[i])
        worst = std::max(worst, std::abs(static_cast<double>(found.norm[i]) / expected.norm[i] - 1));
    CHECK(worst < 5e-7);
  }
}

}  // namespace dsasrgs
