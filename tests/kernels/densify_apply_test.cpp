#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "common/gaussian_math.hpp"
#include "densify/densify.hpp"
#include "dsasrgs/error.hpp"
#include "support/context.hpp"
#include "support/random_values.hpp"

namespace dsasrgs {
namespace {

using Catch::Matchers::Contains;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr Birth kKept = Birth::kept, kClone = Birth::clone, kSplit = Birth::split_child;

std::vector<float> gather(const DensityPlan& plan, int width, bool zero_births, const std::vector<float>& in) {
  Context ctx = test::make_context();
  const auto from = Buffer<float>::from_host(ctx, in);
  Buffer<float> to =
      Buffer<float>::from_host(ctx, std::vector<float>(plan.source.size() * static_cast<std::size_t>(width), 77.0f));
  gather_rows(ctx, plan, width, zero_births, from, to);
  return to.to_host(ctx);
}

struct Placed {
  std::vector<float> position, raw_scale;
};
Placed place(const DensityControl& control, const DensityPlan& plan, ScaleBounds bounds,
             const std::vector<float>& position, const std::vector<float>& raw_scale,
             const std::vector<float>& rotation, int threads = 2) {
  Context ctx = test::make_context(threads);
  auto p = Buffer<float>::from_host(ctx, position), s = Buffer<float>::from_host(ctx, raw_scale);
  const auto q = Buffer<float>::from_host(ctx, rotation);
  place_children(ctx, control, plan, bounds, p, s, q);
  return {p.to_host(ctx), s.to_host(ctx)};
}

}  // namespace

TEST_CASE("densify: gathered rows are exact copies, births of optimiser state are zero", "[densify]") {
  DensityPlan plan;
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
  DensityPlan plan;
  const std::size_t n = 10001;
  std::vector<float> in(2 * n);
  for (std::size_t i = 0; i < 2 * n; ++i) in[i] = static_cast<float>(i);
  for (std::size_t i = 0; i < n; ++i) plan.source.push_back(static_cast<std::uint32_t>((i * 7919) % n));
  plan.birth.assign(n, kKept);
  plan.child.assign(n, 0);
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
  DensityPlan plan;
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
  DensityPlan plan;
  plan.source = {7, 7, 300};
  plan.birth = {kSplit, kSplit, kSplit};
  plan.child = {0, 1, 0};
  const std::vector<float> raw(9, 0.0f);
  const std::vector<float> rotation{1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0};
  const std::vector<float> p = place(control, plan, {0, 2}, std::vector<float>(9, 0.0f), raw, rotation).position;
  std::swap(plan.source[0], plan.source[2]);
  const std::vector<float> swapped = place(control, plan, {0, 2}, std::vector<float>(9, 0.0f), raw, rotation).position;
  CHECK(std::vector<float>(p.begin(), p.begin() + 3) == std::vector<float>(swapped.begin() + 6, swapped.end()));
  CHECK(std::vector<float>(p.begin() + 3, p.begin() + 6) ==
        std::vector<float>(swapped.begin() + 3, swapped.begin() + 6));
  CHECK(p[0] != p[3]);
  CHECK(p[0] != p[6]);
}

TEST_CASE("densify: a clone is its parent and survivors do not move", "[densify]") {
  DensityPlan plan;
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
  CHECK(gather({}, 3, false, {1, 2, 3}).empty());
  CHECK(gather({}, 3, true, {}).empty());
  CHECK(place(DensityControl(), {}, {0, 0}, {}, {}, {}).position.empty());
}

TEST_CASE("densify: rows that do not fit the plan are refused", "[densify]") {
  Context ctx = test::make_context();
  const auto two = Buffer<float>::zeros(ctx, 2), four = Buffer<float>::zeros(ctx, 4);
  const ScaleBounds bounds{0.1f, 4};
  DensityControl control;
  DensityPlan plan;
  plan.source = {0, 0, 1, 1};
  plan.birth = {kSplit, kSplit, kSplit, kSplit};
  plan.child = {0, 1, 0, 1};
  Buffer<float> out(ctx, 4), out12(ctx, 12), out16(ctx, 16);
  CHECK_THROWS_WITH(gather_rows(ctx, plan, 1, false, two, out12), Contains("out: expected 4 elements, found 12"));
  CHECK_THROWS_WITH(gather_rows(ctx, plan, -1, false, two, out), Contains("width"));
  CHECK_THROWS_WITH(gather_rows(ctx, plan, 4, false, four, out16), Contains("in: expected a row for source 1"));
  CHECK_THROWS_WITH(gather_rows(ctx, plan, 3, false, four, out12), Contains("whole number of rows"));
  DensityPlan ragged = plan;
  ragged.birth.pop_back();
  CHECK_THROWS_WITH(gather_rows(ctx, ragged, 1, false, two, out), Contains("plan.birth"));
  CHECK_THROWS_WITH(place_children(ctx, control, plan, bounds, out, out12, out16), Contains("position_mm"));
  CHECK_THROWS_WITH(place_children(ctx, control, plan, bounds, out12, out, out16), Contains("raw_scale"));
  CHECK_THROWS_WITH(place_children(ctx, control, plan, bounds, out12, out12, out), Contains("rotation"));
  CHECK_THROWS_WITH(place_children(ctx, control, plan, {3, 2}, out12, out12, out16), Contains("bounds"));
  control.split_shrink = 0;
  CHECK_THROWS_AS(place_children(ctx, control, plan, bounds, out12, out12, out16), InvalidArgument);
}

}  // namespace dsasrgs
