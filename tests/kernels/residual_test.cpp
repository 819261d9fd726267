// SPDX-License-Identifier: Apache-2.0
#include "residual/residual.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "dsasrgs/error.hpp"
#include "oracle/ray_integral_oracle.hpp"
#include "support/context.hpp"
#include "support/random_values.hpp"

namespace dsasrgs {
namespace {

using Catch::Matchers::Contains;
using test::GaussianOracle;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct HostView {
  Pose pose;
  Detector detector;
  std::vector<float> measured, rendered;
  std::vector<std::uint8_t> valid;
};
struct HostScores {
  std::vector<float> score;
  std::vector<std::uint32_t> seen;
  bool operator==(const HostScores&) const = default;
};
struct HostBirths {
  std::vector<float> position, score;
};

void add(Context& ctx, const VolumeGrid& grid, const HostView& v, ResidualScores& scores) {
  const auto measured = Buffer<float>::from_host(ctx, v.measured), rendered = Buffer<float>::from_host(ctx, v.rendered);
  const auto valid = Buffer<std::uint8_t>::from_host(ctx, v.valid);
  residual_score_add(ctx, {grid, v.pose, v.detector, measured, rendered, valid}, scores);
}
ResidualScores scores_of(Context& ctx, const VolumeGrid& grid, const std::vector<HostView>& views) {
  ResidualScores scores = ResidualScores::zeros(ctx, grid);
  for (const HostView& v : views) add(ctx, grid, v, scores);
  return scores;
}
HostScores to_host(Context& ctx, const ResidualScores& s) { return {s.score.to_host(ctx), s.seen.to_host(ctx)}; }
HostBirths pick(Context& ctx, const VolumeGrid& grid, const ResidualScores& scores, int min_views,
                std::size_t max_count) {
  const ResidualBirths births = pick_births(ctx, grid, scores, min_views, max_count);
  CHECK(births.position_mm.size() == 3 * births.size());
  return {births.position_mm.to_host(ctx), births.score.to_host(ctx)};
}
ResidualScores from_host(Context& ctx, const HostScores& s) {
  return {Buffer<float>::from_host(ctx, s.score), Buffer<std::uint32_t>::from_host(ctx, s.seen)};
}

Vec3d center(const VolumeGrid& g, std::size_t i) {
  const auto w = static_cast<std::size_t>(g.size_x), h = static_cast<std::size_t>(g.size_y);
  return {g.origin_mm.x + (static_cast<double>(i % w) + 0.5) * g.spacing_mm.x,
          g.origin_mm.y + (static_cast<double>(i / w % h) + 0.5) * g.spacing_mm.y,
          g.origin_mm.z + (static_cast<double>(i / w / h) + 0.5) * g.spacing_mm.z};
}

std::vector<Pose> sweep(int num_views, double secondary_rad = 0) {
  CircularSweep s;
  s.num_views = num_views;
  s.first_rad = 0.1;
  s.view.secondary_rad = secondary_rad;
  return circular_poses(s);
}

/// Images of noise with some pixels that do not count; the detector is smaller than the volume's shadow.
std::vector<HostView> noise_views(int num_views, Detector detector) {
  std::vector<HostView> views;
  std::uint32_t seed = 1;
  for (const Pose& pose : sweep(num_views, 0.3)) {
    HostView v{pose,
               detector,
               test::random_values(detector.num_pixels(), 0.0f, 1.0f, seed),
               test::random_values(detector.num_pixels(), -0.8f, 0.4f, seed + 1),
               {}};
    if (seed % 4 == 1) {
      v.valid.assign(detector.num_pixels(), 1);
      for (std::size_t p = 5; p < v.valid.size(); p += 37) v.valid[p] = 0;
    }
    views.push_back(std::move(v));
    seed += 2;
  }
  return views;
}

/// The rule for one voxel and view, in double. False: not seen. `edge` is set where rounding could decide either way.
bool oracle_residual(const HostView& v, Vec3d point, double& residual, bool& edge) {
  const Vec2d at = project_point(v.pose, v.detector, point);
  const auto near = [](double x) { return std::abs(x - std::round(x)) < 1e-3; };
  edge = edge || near(at.x) || near(at.y) || near(at.x - 0.5) || near(at.y - 0.5);
  if (!(at.x >= 0 && at.x < v.detector.width_px && at.y >= 0 && at.y < v.detector.height_px)) return false;
  const double x0 = std::floor(at.x - 0.5), y0 = std::floor(at.y - 0.5);
  residual = 0;
  for (int k = 0; k < 4; ++k) {
    const double x = x0 + k % 2, y = y0 + k / 2;
    const double weight = (1 - std::abs(at.x - 0.5 - x)) * (1 - std::abs(at.y - 0.5 - y));
    const int column = std::clamp(static_cast<int>(x), 0, v.detector.width_px - 1),
              row = std::clamp(static_cast<int>(y), 0, v.detector.height_px - 1);
    const auto pixel = static_cast<std::size_t>(row) * static_cast<std::size_t>(v.detector.width_px) +
                       static_cast<std::size_t>(column);
    if (!v.valid.empty() && v.valid[pixel] == 0) return false;
    residual += weight * std::max(0.0, static_cast<double>(v.measured[pixel]) - v.rendered[pixel]);
  }
  return true;
}

/// 3 × 2 × 1 voxels straight ahead of a view whose pixels are all `value` above the model's.
const VolumeGrid kSmall{3, 2, 1, {1, 1, 1}, {-1.5, -1, -0.5}};
HostView flat_view(float value, double primary_rad = 0) {
  CArmView c;
  c.primary_rad = primary_rad;
  return {carm_pose(c, 0), {16, 16, 1, 1}, std::vector<float>(256, value + 2), std::vector<float>(256, 2.0f), {}};
}

}  // namespace

TEST_CASE("residual: scores agree with the rule applied voxel by voxel", "[residual]") {
  Context ctx = test::make_context();
  const VolumeGrid grid{17, 13, 11, {3, 4, 5}, {-26, -25, -27}};
  const std::vector<HostView> views = noise_views(7, {24, 20, 2.5, 3.0});
  const HostScores found = to_host(ctx, scores_of(ctx, grid, views));
  std::size_t compared = 0, unseen = 0;
  for (std::size_t i = 0; i < grid.num_voxels(); ++i) {
    bool edge = false;
    double lowest = 0, residual = 0;
    std::uint32_t seen = 0;
    for (const HostView& v : views)
      if (oracle_residual(v, center(grid, i), residual, edge))
        lowest = seen++ == 0 ? residual : std::min(lowest, residual);
    if (edge) continue;
    ++compared;
    unseen += seen == 0;
    REQUIRE(found.seen[i] == seen);
    REQUIRE(std::abs(found.score[i] - lowest) < 2e-5);
  }
  CHECK(compared > grid.num_voxels() * 9 / 10);
  CHECK(unseen > 0);
  CHECK(*std::max_element(found.seen.begin(), found.seen.end()) == 7);

  std::vector<HostView> backwards = views;
  std::reverse(backwards.begin(), backwards.end());
  CHECK(to_host(ctx, scores_of(ctx, grid, backwards)) == found);
  Context one = test::make_context(1);
  CHECK(to_host(one, scores_of(one, grid, views)) == found);
}

TEST_CASE("residual: the lowest view decides, and only positive residuals count", "[residual]") {
  Context ctx = test::make_context();
  const auto scores = [&](const std::vector<HostView>& views) { return to_host(ctx, scores_of(ctx, kSmall, views)); };
  CHECK(scores({}) == HostScores{std::vector<float>(6, 0.0f), std::vector<std::uint32_t>(6, 0)});
  CHECK(scores({flat_view(0.5f), flat_view(0.25f, 1), flat_view(1, 2)}) ==
        HostScores{std::vector<float>(6, 0.25f), std::vector<std::uint32_t>(6, 3)});
  CHECK(scores({flat_view(-0.5f), flat_view(1, 1)}).score == std::vector<float>(6, 0.0f));

  HostView broken = flat_view(0.5f);
  for (std::size_t p = 0; p < 256; ++p) broken.measured[p] = p % 2 == 0 ? kInfinity : NAN;
  CHECK(scores({broken, flat_view(1, 1)}) == HostScores{std::vector<float>(6, 0.0f), std::vector<std::uint32_t>(6, 2)});

  HostView masked = flat_view(0.5f);
  masked.valid.assign(256, 0);
  CHECK(scores({masked, flat_view(1, 1)}) == HostScores{std::vector<float>(6, 1.0f), std::vector<std::uint32_t>(6, 1)});

  // A volume behind the source, whose lines through the source do meet the detector.
  const Vec3d behind = masked.pose.source_mm * 1.2;
  const VolumeGrid hidden{1, 1, 1, {1, 1, 1}, behind - Vec3d{0.5, 0.5, 0.5}};
  CHECK(to_host(ctx, scores_of(ctx, hidden, {flat_view(1)})).seen[0] == 0);
}

TEST_CASE("residual: births are the largest positive scores, ties by index", "[residual]") {
  Context ctx = test::make_context();
  const HostScores host{{0.5f, 0.75f, 0.5f, -1.0f, 0.0f, 3.0f}, {4, 3, 3, 9, 9, 2}};
  const ResidualScores scores = from_host(ctx, host);
  const auto picked = [&](int min_views, std::size_t max_count) {
    return pick(ctx, kSmall, scores, min_views, max_count);
  };
  const HostBirths three = picked(3, 10);
  CHECK(three.score == std::vector<float>{0.75f, 0.5f, 0.5f});
  CHECK(three.position == std::vector<float>{0, -0.5f, 0, -1, -0.5f, 0, 1, -0.5f, 0});
  CHECK(picked(3, 2).score == std::vector<float>{0.75f, 0.5f});
  CHECK(picked(3, 2).position == std::vector<float>{0, -0.5f, 0, -1, -0.5f, 0});
  CHECK(picked(1, 1).position == std::vector<float>{1, 0.5f, 0});
  CHECK(picked(4, 10).score == std::vector<float>{0.5f});
  CHECK(picked(10, 10).score.empty());
  CHECK(picked(1, 0).score.empty());
  const HostScores none{{NAN, -1, 0, 0, -0.0f, 0}, {4, 4, 4, 4, 4, 4}};
  CHECK(pick(ctx, kSmall, from_host(ctx, none), 1, 10).score.empty());
}

TEST_CASE("residual: births appear where a vessel was removed", "[residual]") {
  Context ctx = test::make_context();
  const Detector detector{48, 48, 2, 2};
  const VolumeGrid grid{32, 32, 32, {1.5, 1.5, 1.5}, {-24, -24, -24}};
  const std::vector<float> place = test::random_values(3 * 24, -18.0f, 18.0f, 1),
                           size = test::random_values(3 * 24, 0.8f, 3.0f, 2);
  std::vector<GaussianOracle> others, vessel;
  for (std::size_t i = 0; i < 24; ++i)
    others.push_back({{place[3 * i], place[3 * i + 1], place[3 * i + 2]},
                      {size[3 * i], size[3 * i + 1], size[3 * i + 2]},
                      {1, 0.3, -0.2, 0.5},
                      0.03});
  for (int i = 0; i < 21; ++i) {
    const double t = i / 10.0 - 1;
    vessel.push_back({{6 * std::cos(2 * t) - 3, 8 * t, 14 * t}, {1.2, 1.2, 1.2}, {1, 0, 0, 0}, 0.03});
  }
  std::vector<HostView> views;
  for (const Pose& pose : sweep(12)) {
    HostView v{pose, detector, {}, {}, {}};
    // The model is a little off for what it has, and the measurement is noisy.
    const std::vector<float> noise =
        test::random_values(detector.num_pixels(), -0.004f, 0.004f, static_cast<std::uint32_t>(views.size()) + 10);
    for (int r = 0; r < detector.height_px; ++r)
      for (int c = 0; c < detector.width_px; ++c) {
        const Vec3d pixel = detector_point(pose, detector, {c + 0.5, r + 0.5});
        double rest = 0, removed = 0;
        for (const GaussianOracle& k : others) rest += k.ray_integral(pose.source_mm, pixel);
        for (const GaussianOracle& k : vessel) removed += k.ray_integral(pose.source_mm, pixel);
        v.measured.push_back(static_cast<float>(rest + removed) + noise[v.measured.size()]);
        v.rendered.push_back(static_cast<float>(0.97 * rest));
      }
    views.push_back(std::move(v));
  }
  const HostBirths births = pick(ctx, grid, scores_of(ctx, grid, views), 6, 200);
  REQUIRE(births.score.size() == 200);
  const auto distance = [&](std::size_t birth, const GaussianOracle& k) {
    const float* p = births.position.data() + 3 * birth;
    return length(Vec3d{p[0], p[1], p[2]} - k.mean_mm);
  };
  const double two_voxels = 2 * 1.5;
  int near = 0, covered = 0;
  for (std::size_t b = 0; b < 200; ++b)
    near += std::any_of(vessel.begin(), vessel.end(), [&](const auto& k) { return distance(b, k) <= two_voxels; });
  for (const GaussianOracle& k : vessel) {
    bool reached = false;
    for (std::size_t b = 0; b < 200; ++b) reached = reached || distance(b, k) <= two_voxels;
    covered += reached;
  }
  CHECK(near >= 180);
  CHECK(covered == 21);
}

TEST_CASE("residual: wrong sizes and settings are refused", "[residual]") {
  Context ctx = test::make_context();
  ResidualScores scores = ResidualScores::zeros(ctx, kSmall), other = ResidualScores::zeros(ctx, {1, 1, 1});
  const HostView good = flat_view(1);
  const auto throws = [&](auto&& change, const char* what) {
    HostView v = good;
    change(v);
    CHECK_THROWS_AS(add(ctx, kSmall, v, scores), InvalidArgument);
    CHECK_THROWS_WITH(add(ctx, kSmall, v, scores), Contains(what));
  };
  throws([](HostView& v) { v.measured.pop_back(); }, "measured: expected 256 elements, found 255");
  throws([](HostView& v) { v.rendered.pop_back(); }, "rendered");
  throws([](HostView& v) { v.valid.assign(3, 1); }, "valid");
  throws([](HostView& v) { v.detector.width_px = 0; }, "detector: expected at least 1 x 1 pixels");
  throws([](HostView& v) { v.detector.pitch_v_mm = 0; }, "detector: expected a positive pitch");
  throws([](HostView& v) { v.pose.detector_u = v.pose.detector_v; }, "pose");
  CHECK_THROWS_WITH(add(ctx, kSmall, good, other), Contains("scores.score: expected 6 elements, found 1"));
  CHECK_THROWS_WITH(pick(ctx, kSmall, other, 1, 1), Contains("scores.score"));
  CHECK_THROWS_WITH(pick(ctx, kSmall, scores, 0, 1), Contains("min_views: expected 1 or more, found 0"));
  CHECK_THROWS_WITH(pick(ctx, {0, 1, 1}, scores, 1, 1), Contains("grid: expected at least 1 x 1 x 1 voxels"));
  VolumeGrid flat = kSmall;
  flat.spacing_mm.z = 0;
  CHECK_THROWS_WITH(add(ctx, flat, good, scores), Contains("spacing"));
  CHECK(to_host(ctx, scores).seen == std::vector<std::uint32_t>(6, 0));
}

TEST_CASE("residual: CUDA agrees with the CPU", "[residual][parity]") {
  Context cpu = Context::cpu(1), other = test::make_context();
  for (const int side : {1, 7, 23}) {
    const VolumeGrid grid{side, side + 2, side + 1, {3, 2, 2.5}, {-30, -25, -28}};
    const std::vector<HostView> views = noise_views(5, {31, 26, 2.5, 2.5});
    const HostScores expected = to_host(cpu, scores_of(cpu, grid, views)),
                     found = to_host(other, scores_of(other, grid, views));
    // Positions differ by about 1e-5 px, which now and then decides whether a view sees a voxel.
    std::size_t seen_otherwise = 0;
    double error = 0, norm = 0, worst = 0;
    for (std::size_t i = 0; i < expected.score.size(); ++i) {
      if (expected.seen[i] != found.seen[i]) {
        ++seen_otherwise;
        continue;
      }
      const double e = expected.score[i], d = found.score[i] - e;
      error += d * d;
      norm += e * e;
      worst = std::max(worst, std::abs(d));
    }
    CHECK(seen_otherwise <= expected.score.size() / 1000);
    CHECK(std::sqrt(error) <= 1e-5 * std::sqrt(norm));
    CHECK(worst < 2e-5);

    HostScores rounded = expected;  // many ties
    for (float& s : rounded.score) s = std::round(s * 32) / 32;
    for (const HostScores& same : {expected, rounded})
      for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{300}, std::size_t{100000}}) {
        const HostBirths a = pick(cpu, grid, from_host(cpu, same), 3, count),
                         b = pick(other, grid, from_host(other, same), 3, count);
        CHECK(a.position == b.position);
        CHECK(a.score == b.score);
      }
  }
}

}  // namespace dsasrgs
