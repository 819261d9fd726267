// SPDX-License-Identifier: Apache-2.0
// What the baselines R²-Gaussian and TOGS add to density control: halved densities and random pruning.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "densify/densify.hpp"
#include "densify/densify_math.hpp"
#include "dsasrgs/error.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/host_plan.hpp"
#include "support/random_values.hpp"

namespace dsasrgs {
namespace {

using test::HostPlan;
constexpr Birth kKept = Birth::kept, kClone = Birth::clone, kSplit = Birth::split_child;

double softplus_of(double raw) { return std::max(raw, 0.0) + std::log1p(std::exp(-std::abs(raw))); }

std::vector<float> halved_on(Context ctx, const HostPlan& plan, const std::vector<float>& raw) {
  auto device = Buffer<float>::from_host(ctx, raw);
  halve_density(ctx, test::from_host(ctx, plan), device);
  return device.to_host(ctx);
}

/// n Gaussians in the box, none of which grows or is pruned for what it is.
HostPlan random_prune_plan(Context ctx, std::size_t n, float fraction, std::uint64_t step, bool prune = true) {
  const auto position = Buffer<float>::from_host(ctx, test::random_values<float>(3 * n, -9, 9, 1)),
             raw_scale = Buffer<float>::from_host(ctx, test::random_values<float>(3 * n, -2, 0, 2)),
             rotation = Buffer<float>::from_host(ctx, test::random_values<float>(4 * n, 0.1f, 1, 3));
  DensityControl control;
  control.box = {10, 10, 10, {2, 2, 2}, {-10, -10, -10}};
  control.random_prune = fraction;
  control.prune = prune;
  control.seed = 7;
  control.step = step;
  return test::to_host(ctx, plan_density_control(ctx, control, {position, raw_scale, rotation, {0.05f, 6}},
                                                 DensityStatistics::zeros(ctx, n)));
}

}  // namespace

TEST_CASE("densify: half the density, over the whole range of the raw number", "[densify]") {
  for (double raw = -60; raw <= 60; raw += 0.37) {
    CAPTURE(raw);
    CHECK(softplus_of(halved_softplus(raw)) == Approx(softplus_of(raw) / 2).epsilon(3e-7));
    const auto single = static_cast<float>(raw);
    CHECK(softplus_of(static_cast<double>(halved_softplus(single))) ==
          Approx(softplus_of(static_cast<double>(single)) / 2).epsilon(5e-6));
  }
  CHECK(halved_softplus(-200.0f) == Approx(-200.6931f));
  CHECK(halved_softplus(1000.0f) == Approx(500.0f));
}

TEST_CASE("densify: clones, what was cloned and split children get half the density, nothing else", "[densify]") {
  // Gaussian 0 kept, 1 cloned, 2 split, 3 pruned, 4 kept.
  const HostPlan plan{
      {0, 1, 4, 1, 2, 2}, {kKept, kKept, kKept, kClone, kSplit, kSplit}, {0, 0, 0, 0, 0, 1}, 5, 1, 1, 1};
  const std::vector<float> before{0.3f, 1.5f, -4, 1.5f, -30, -30};
  const auto after = halved_on(test::make_context(), plan, before);
  CHECK(after[0] == before[0]);
  CHECK(after[2] == before[2]);
  CHECK(after[1] == after[3]);
  CHECK(after[4] == after[5]);
  for (const auto& [a, b] : {std::pair{1, 3}, std::pair{4, 5}})
    CHECK(softplus_of(static_cast<double>(after[a])) + softplus_of(static_cast<double>(after[b])) ==
          Approx(softplus_of(static_cast<double>(before[a]))).epsilon(3e-6));
  CHECK(halved_on(test::make_context(), {}, {}).empty());
  CHECK_THROWS_AS(halved_on(test::make_context(), plan, {1, 2}), InvalidArgument);
}

TEST_CASE("densify: random pruning takes its fraction, the same Gaussians again", "[densify]") {
  const std::size_t n = 20000;
  const HostPlan plan = random_prune_plan(test::make_context(1), n, 0.08f, 200);
  // Binomial: 5 standard deviations.
  CHECK(std::abs(static_cast<double>(plan.pruned) - 0.08 * n) < 5 * std::sqrt(n * 0.08 * 0.92));
  CHECK(plan.source.size() == n - plan.pruned);
  CHECK(random_prune_plan(test::make_context(2), n, 0.08f, 200) == plan);
  const HostPlan later = random_prune_plan(test::make_context(), n, 0.08f, 400);
  CHECK(later.source != plan.source);
  // Independent of the first: 0.92² survive both.
  std::vector<std::uint32_t> both;
  std::set_intersection(plan.source.begin(), plan.source.end(), later.source.begin(), later.source.end(),
                        std::back_inserter(both));
  const double expected = 0.92 * 0.92;
  CHECK(std::abs(static_cast<double>(both.size()) - expected * n) < 5 * std::sqrt(n * expected * (1 - expected)));
  CHECK(random_prune_plan(test::make_context(), n, 0, 200).pruned == 0);
  CHECK(random_prune_plan(test::make_context(), n, 1, 200).pruned == n);
  CHECK(random_prune_plan(test::make_context(), n, 0.08f, 200, false).pruned == 0);
  CHECK_THROWS_AS(random_prune_plan(test::make_context(), n, 1.5f, 200), InvalidArgument);
  CHECK_THROWS_AS(random_prune_plan(test::make_context(), n, NAN, 200), InvalidArgument);
}

TEST_CASE("densify: halving and random pruning on CUDA agree with the CPU", "[densify][parity]") {
  CHECK(random_prune_plan(test::make_context(), 5003, 0.3f, 1) == random_prune_plan(Context::cpu(1), 5003, 0.3f, 1));
  const std::size_t n = 3001;
  HostPlan plan;
  plan.num_sources = n;
  for (std::uint32_t i = 0; i < n; ++i) plan.source.push_back(i);
  for (std::uint32_t i = 0; i < n; i += 3) plan.source.push_back(i);
  plan.birth.assign(plan.source.size(), kClone);
  std::fill_n(plan.birth.begin(), n, kKept);
  plan.child.assign(plan.source.size(), 0);
  const auto raw = test::random_values<float>(plan.source.size(), -40, 40, 9);
  CHECK(test::relative_l2(halved_on(test::make_context(), plan, raw), halved_on(Context::cpu(1), plan, raw)) < 3e-7);
}

}  // namespace dsasrgs
