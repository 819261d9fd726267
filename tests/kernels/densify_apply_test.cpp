// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "common/gaussian_math.hpp"
#include "densify/densify.hpp"
#include "dsasrgs/error.hpp"
#include "support/bad_bounds.hpp"
#include "support/context.hpp"
#include "support/host_plan.hpp"
#include "support/random_values.hpp"

namespace dsasrgs {
namespace {

using Catch::Matchers::Contains;
using test::HostPlan;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr Birth kKept = Birth::kept, kClone = Birth::clone, kSplit = Birth::split_child;

/// One array through gather_rows.
std::vector<float> gather(Context& ctx, const HostPlan& plan, int width, bool zero_births,
                          const std::vector<float>& in) {
  const DensityPlan on_device = test::from_host(ctx, plan);
  const auto from = Buffer<float>::from_host(ctx, in);
  Buffer<float> to =
      Buffer<float>::from_host(ctx, std::vector<float>(plan.source.size() * static_cast<std::size_t>(width), 77.0f));
  const RowGather array{width, zero_births, from, to};
  gather_rows(ctx, on_device, {&array, 1});
  return to.to_host(ctx);
}
std::vector<float> gather(const HostPlan& plan, int width, bool zero_births, const std::vector<float>& in) {
  Context ctx = test::make_context();
  return gather(ctx, plan, width, zero_births, in);
}

struct Placed {
  std::vector<float> position, raw_scale;
};
Placed place(Context& ctx, const DensityControl& control, const HostPlan& plan, ScaleBounds bounds,
             const std::vector<float>& position, const std::vector<float>& raw_scale,
             const std::vector<float>& rotation) {
  auto p = Buffer<float>::from_host(ctx, position), s = Buffer<float>::from_host(ctx, raw_scale);
  const auto q = Buffer<float>::from_host(ctx, rotation);
  place_children(ctx, control, test::from_host(ctx, plan), bounds, p, s, q);
  return {p.to_host(ctx), s.to_host(ctx)};
}
Placed place(const DensityControl& control, const HostPlan& plan, ScaleBounds bounds,
             const std::vector<float>& position, const std::vector<float>& raw_scale,
             const std::vector<float>& rotation, int threads = 2) {
  Context ctx = test::make_context(threads);
  return place(ctx, control, plan, bounds, position, raw_scale, rotation);
}

}  // namespace

TEST_CASE("densify: gathered rows are exact copies, births of optimiser state are zero", "[densify]") {
  HostPlan plan;
  plan.num_sources = 5;
  plan.source = {4, 0, 2, 0, 2, 2};
  plan.birth = {kKept, kKept, kKept, kClone, kSplit, kSplit};
  plan.child = {0, 0, 0, 0, 0, 1};
  for (const int width : {1, 3, 4, 33}) {
    std::vector<float> in = test::random_values(5 * static_cast<std::size_t>(width), -1.0f, 1.0f, 9);
    in[0] = kNan;  // copied bit for bit
    const std::vector<float> copied = gather(plan, width, false, in), state = gather(plan, width, true, in);
    const std::size_t w = static_cast<std::size_t>(width);
    for (std::size_t j = 0; j < 6; ++j) {
      const float* source = in.data() + plan.source[j] * w;
      CHECK(std::memcmp(copied.data() + j * w, source, w * sizeof(float)) == 0);
      const std::vector<float> row(state.begin() + j * w, state.begin() + (j + 1) * w);
      if (j < 3)
        CHECK(std::memcmp(row.data(), source, w * sizeof(float)) == 0);
      else
        CHECK(row == std::vector<float>(w, 0.0f));
    }
  }
  CHECK(gather(plan, 0, false, {}).empty());
}

TEST_CASE("densify: gathering many rows over several tasks", "[densify]") {
  HostPlan plan;
  const std::size_t n = 10001;
  std::vector<float> in(2 * n);
  for (std::size_t i = 0; i < 2 * n; ++i) in[i] = static_cast<float>(i);
  for (std::size_t i = 0; i < n; ++i) plan.source.push_back(static_cast<std::uint32_t>((i * 7919) % n));
  plan.birth.assign(n, kKept);
  plan.child.assign(n, 0);
  plan.num_sources = n;
  const std::vector<float> out = gather(plan, 2, true, in);
  for (std::size_t j = 0; j < n; ++j) {
    if (out[2 * j] != in[2 * plan.source[j]]) FAIL(j);
    if (out[2 * j + 1] != in[2 * plan.source[j] + 1]) FAIL(j);
  }
}

TEST_CASE("densify: children are spread as the parent's Gaussian and shrunk", "[densify]") {
  const ScaleBounds bounds{0.1f, 8.0f};
  DensityControl control;
  control.split_shrink = 1.6f;
  control.seed = 5;
  control.step = 400;
  const Vec3f scale{0.5f, 1.5f, 3.0f}, mean{10, -20, 30};
  const Quat<float> q{0.9f, 0.2f, -0.5f, 0.3f};
  constexpr std::size_t kPairs = 50000, kAll = 2 * kPairs;
  HostPlan plan;
  std::vector<float> position, raw_scale, rotation;
  for (std::size_t j = 0; j < kAll; ++j) {
    plan.source.push_back(static_cast<std::uint32_t>(j / 2));
    plan.birth.push_back(kSplit);
    plan.child.push_back(static_cast<std::uint8_t>(j % 2));
    position.insert(position.end(), {mean.x, mean.y, mean.z});
    for (const float s : {scale.x, scale.y, scale.z})
      raw_scale.push_back(raw_scale_from(s, bounds.min_mm, bounds.max_mm));
    rotation.insert(rotation.end(), {q.w, q.x, q.y, q.z});
  }
  const Placed placed = place(control, plan, bounds, position, raw_scale, rotation);

  // Σ = R diag(s²) Rᵀ, entry by entry.
  const Mat3<double> r = rotation_matrix<double>({0.9, 0.2, -0.5, 0.3});
  const std::array<Vec3d, 3> row{r.r0, r.r1, r.r2};
  const auto sigma = [&](std::size_t a, std::size_t b) {
    return row[a].x * row[b].x * 0.25 + row[a].y * row[b].y * 2.25 + row[a].z * row[b].z * 9.0;
  };
  const std::array<double, 3> center{mean.x, mean.y, mean.z};
  std::array<double, 3> average{};
  std::array<std::array<double, 3>, 3> covariance{}, siblings{};
  for (std::size_t j = 0; j < kAll; ++j)
    for (std::size_t a = 0; a < 3; ++a) {
      const double d = placed.position[3 * j + a] - center[a];
      average[a] += d / kAll;
      for (std::size_t b = 0; b < 3; ++b) {
        covariance[a][b] += d * (placed.position[3 * j + b] - center[b]) / kAll;
        if (j % 2 == 0) siblings[a][b] += d * (placed.position[3 * (j + 1) + b] - center[b]) / kPairs;
      }
    }
  for (std::size_t a = 0; a < 3; ++a) {
    CHECK(std::abs(average[a]) < 5 * std::sqrt(sigma(a, a) / kAll));
    for (std::size_t b = 0; b < 3; ++b) {
      const double variance = sigma(a, a) * sigma(b, b) + sigma(a, b) * sigma(a, b);
      CHECK(std::abs(covariance[a][b] - sigma(a, b)) < 5 * std::sqrt(variance / kAll));
      // Children of one parent are independent of one another.
      CHECK(std::abs(siblings[a][b]) < 5 * std::sqrt(sigma(a, a) * sigma(b, b) / kPairs));
    }
  }
  const Vec3f shrunk = bounded_scale<float>({placed.raw_scale[0], placed.raw_scale[1], placed.raw_scale[2]},
                                            bounds.min_mm, bounds.max_mm);
  CHECK(shrunk.x == Approx(0.5 / 1.6).epsilon(1e-4));
  CHECK(shrunk.y == Approx(1.5 / 1.6).epsilon(1e-4));
  CHECK(shrunk.z == Approx(3.0 / 1.6).epsilon(1e-4));

  // The same numbers for any number of threads; others for another step or seed.
  CHECK(place(control, plan, bounds, position, raw_scale, rotation, 1).position == placed.position);
  control.step = 401;
  CHECK(place(control, plan, bounds, position, raw_scale, rotation).position != placed.position);
  control.step = 400;
  control.seed = 6;
  CHECK(place(control, plan, bounds, position, raw_scale, rotation).position != placed.position);
}

TEST_CASE("densify: children's numbers depend on parent and child, not on their place in the cloud", "[densify]") {
  DensityControl control;
  HostPlan plan;
  plan.source = {7, 7, 300};
  plan.birth = {kSplit, kSplit, kSplit};
  plan.child = {0, 1, 0};
  const std::vector<float> raw(9, 0.0f);
  const std::vector<float> rotation{1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0};
  const std::vector<float> p = place(control, plan, {0.1f, 2}, std::vector<float>(9, 0.0f), raw, rotation).position;
  std::swap(plan.source[0], plan.source[2]);
  const std::vector<float> swapped =
      place(control, plan, {0.1f, 2}, std::vector<float>(9, 0.0f), raw, rotation).position;
  CHECK(std::vector<float>(p.begin(), p.begin() + 3) == std::vector<float>(swapped.begin() + 6, swapped.end()));
  CHECK(std::vector<float>(p.begin() + 3, p.begin() + 6) ==
        std::vector<float>(swapped.begin() + 3, swapped.begin() + 6));
  CHECK(p[0] != p[3]);
  CHECK(p[0] != p[6]);
}

TEST_CASE("densify: a clone is its parent and survivors do not move", "[densify]") {
  HostPlan plan;
  plan.num_sources = 2;
  plan.source = {0, 1, 0};
  plan.birth = {kKept, kKept, kClone};
  plan.child = {0, 0, 0};
  const std::vector<float> raw_scale{0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f}, rotation{1, 0, 0, 0, 0, 1, 0, 0};
  const std::vector<float> raw = gather(plan, 3, false, raw_scale);
  const Placed placed = place(DensityControl(), plan, {0.1f, 4}, gather(plan, 3, false, {1, 2, 3, 4, 5, 6}), raw,
                              gather(plan, 4, false, rotation));
  CHECK(placed.position == std::vector<float>{1, 2, 3, 4, 5, 6, 1, 2, 3});
  CHECK(placed.raw_scale == raw);
}

TEST_CASE("densify: an empty plan gives an empty cloud", "[densify]") {
  HostPlan all_pruned;
  all_pruned.num_sources = 1;
  CHECK(gather(all_pruned, 3, false, {1, 2, 3}).empty());
  CHECK(gather({}, 3, true, {}).empty());
  CHECK(place(DensityControl(), {}, {0, 0}, {}, {}, {}).position.empty());
}

TEST_CASE("densify: many arrays are gathered in one call", "[densify]") {
  Context ctx = test::make_context();
  constexpr std::size_t kSources = 301, kRows = 777, kArrays = 21;  // more than one launch holds
  HostPlan plan;
  plan.num_sources = kSources;
  for (std::size_t j = 0; j < kRows; ++j) {
    plan.source.push_back(static_cast<std::uint32_t>((j * 131) % kSources));
    plan.birth.push_back(j % 3 == 2 ? kClone : kKept);
    plan.child.push_back(0);
  }
  const DensityPlan on_device = test::from_host(ctx, plan);
  std::vector<Buffer<float>> in, out;
  std::vector<RowGather> arrays;
  for (std::size_t a = 0; a < kArrays; ++a) {
    const std::size_t width = a % 5;  // 0 too
    in.push_back(Buffer<float>::from_host(
        ctx, test::random_values(kSources * width, -1.0f, 1.0f, static_cast<std::uint32_t>(a))));
    out.push_back(Buffer<float>(ctx, kRows * width));
    arrays.push_back({static_cast<int>(width), a % 2 == 1, in.back(), out.back()});
  }
  gather_rows(ctx, on_device, arrays);
  for (std::size_t a = 0; a < kArrays; ++a) {
    CAPTURE(a);
    CHECK(out[a].to_host(ctx) == gather(plan, static_cast<int>(a % 5), a % 2 == 1, in[a].to_host(ctx)));
  }
  gather_rows(ctx, on_device, {});
}

TEST_CASE("densify: rows that do not fit the plan are refused", "[densify]") {
  Context ctx = test::make_context();
  const auto two = Buffer<float>::zeros(ctx, 2), four = Buffer<float>::zeros(ctx, 4);
  const ScaleBounds bounds{0.1f, 4};
  DensityControl control;
  HostPlan on_host;
  on_host.num_sources = 2;
  on_host.source = {0, 0, 1, 1};
  on_host.birth = {kSplit, kSplit, kSplit, kSplit};
  on_host.child = {0, 1, 0, 1};
  const DensityPlan plan = test::from_host(ctx, on_host);
  const auto gather_one = [&](const DensityPlan& p, int width, View<const float> in, View<float> to) {
    const RowGather array{width, false, in, to};
    gather_rows(ctx, p, {&array, 1});
  };
  Buffer<float> out(ctx, 4), out12(ctx, 12), out16(ctx, 16);
  CHECK_THROWS_WITH(gather_one(plan, 1, two, out12), Contains("out: expected 4 elements, found 12"));
  CHECK_THROWS_WITH(gather_one(plan, -1, two, out), Contains("width"));
  CHECK_THROWS_WITH(gather_one(plan, 4, four, out16), Contains("in: expected 8 elements, found 4"));
  on_host.birth.pop_back();
  CHECK_THROWS_WITH(gather_one(test::from_host(ctx, on_host), 1, two, out), Contains("plan.birth"));
  CHECK_THROWS_WITH(place_children(ctx, control, plan, bounds, out, out12, out16), Contains("position_mm"));
  CHECK_THROWS_WITH(place_children(ctx, control, plan, bounds, out12, out, out16), Contains("raw_scale"));
  CHECK_THROWS_WITH(place_children(ctx, control, plan, bounds, out12, out12, out), Contains("rotation"));
  for (const ScaleBounds bad : test::kBadBounds)
    CHECK_THROWS_WITH(place_children(ctx, control, plan, bad, out12, out12, out16), Contains("bounds"));
  control.split_shrink = 0;
  CHECK_THROWS_AS(place_children(ctx, control, plan, bounds, out12, out12, out16), InvalidArgument);
}

TEST_CASE("densify: CUDA agrees with the CPU in carrying out a plan", "[densify][parity]") {
  Context cpu = Context::cpu(1), other = test::make_context();
  for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{2500}}) {
    HostPlan plan;
    plan.num_sources = n;
    for (std::size_t j = 0; j < 2 * n; ++j) {
      plan.source.push_back(static_cast<std::uint32_t>((j * 977) % n));
      plan.birth.push_back(static_cast<Birth>(j % 3));
      plan.child.push_back(static_cast<std::uint8_t>(j % 7));
    }
    const std::vector<float> position = test::random_values(3 * n, -60.0f, 60.0f, 1),
                             raw_scale = test::random_values(3 * n, -4.0f, 3.0f, 2),
                             rotation = test::random_values(4 * n, -1.0f, 1.0f, 3);
    const auto rows = [&](Context& ctx, int width, bool zero_births, const std::vector<float>& in) {
      return gather(ctx, plan, width, zero_births, in);
    };
    const std::vector<float> p = rows(cpu, 3, false, position), s = rows(cpu, 3, false, raw_scale),
                             q = rows(cpu, 4, false, rotation);
    CHECK(rows(other, 3, false, position) == p);
    CHECK(rows(other, 3, false, raw_scale) == s);
    CHECK(rows(other, 4, false, rotation) == q);
    CHECK(rows(other, 4, true, rotation) == rows(cpu, 4, true, rotation));

    DensityControl control;
    control.seed = 0x123456789abcdefULL;
    control.step = 700;
    const ScaleBounds bounds{0.05f, 4};
    const Placed expected = place(cpu, control, plan, bounds, p, s, q),
                 found = place(other, control, plan, bounds, p, s, q);
    // Of what was added to positions and scales.
    double largest = 0;
    const auto difference = [&](const std::vector<float>& a, const std::vector<float>& b,
                                const std::vector<float>& before) {
      double error = 0, norm = 0;
      for (std::size_t i = 0; i < a.size(); ++i) {
        error += std::pow(static_cast<double>(a[i]) - b[i], 2);
        norm += std::pow(static_cast<double>(b[i]) - before[i], 2);
        largest = std::max(largest, std::abs(static_cast<double>(a[i]) - b[i]));
      }
      return norm > 0 ? std::sqrt(error / norm) : std::sqrt(error);
    };
    // The CPU rounds positions of 60 mm to 4e-6 mm.
    CHECK(difference(found.position, expected.position, p) < 2e-6);
    CHECK(difference(found.raw_scale, expected.raw_scale, s) < 2e-6);
    CHECK(largest < 2e-5);
  }
}

}  // namespace dsasrgs
