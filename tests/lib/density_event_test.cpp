// SPDX-License-Identifier: Apache-2.0
// The events that change the Gaussians in training: RSD, density control and births together.

#include "train/density_event.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>
#include <vector>

#include "common/gaussian_math.hpp"
#include "support/context.hpp"
#include "support/random_values.hpp"
#include "train/initialize.hpp"
#include "train/training_views.hpp"
#include "view_pipeline.hpp"

namespace dsasrgs {
namespace {

const VolumeGrid kVolume{40, 40, 40, {1.25, 1.25, 1.25}, {-25, -25, -25}};
const Detector kDetector{48, 40, 2, 2};
constexpr double kVoxel = 2 * 750.0 / 1200.0;  // the detector's pitch at the isocentre
const ScaleBounds kBounds{0.125f, 12.5f};

Config config_for() {
  Config config = preset_config("static");
  config.residual_split.enabled = config.residual_births.enabled = true;
  return config;
}

Model model_of(Context& ctx, const Config& config, const std::vector<Vec3d>& centers, double scale_mm) {
  GaussianCloud cloud;
  cloud.bounds = kBounds;
  std::vector<float> position, rotation;
  for (const Vec3d p : centers) {
    for (const double x : {p.x, p.y, p.z}) position.push_back(static_cast<float>(x));
    rotation.insert(rotation.end(), {0.8f, 0.1f, -0.5f, 0.3f});
  }
  const float raw = raw_scale_from(static_cast<float>(scale_mm), kBounds.min_mm, kBounds.max_mm);
  cloud.position_mm = Buffer<float>::from_host(ctx, position);
  cloud.raw_scale = Buffer<float>::from_host(ctx, std::vector<float>(3 * centers.size(), raw));
  cloud.rotation = Buffer<float>::from_host(ctx, rotation);
  cloud.attenuation = Buffer<float>::from_host(ctx, std::vector<float>(centers.size(), 0.0f));
  Model model{
      std::move(cloud), AttenuationField(ctx, config.field, kVolume, 0), kVolume, {0, 5}, kDetector, true, {}, ""};
  model.field.set_density_scale_per_mm(0.03f);
  return model;
}

TrainingState state_of(Context& ctx, const Config& config, const std::vector<Vec3d>& centers, double scale_mm,
                       int step) {
  TrainingState state = TrainingState::initial(ctx, config, model_of(ctx, config, centers, scale_mm));
  state.step = step;
  return state;
}

/// Centres 0.8 mm apart.
std::vector<Vec3d> segment(Vec3d from, Vec3d to) {
  const int n = static_cast<int>(length(to - from) / 0.8);
  std::vector<Vec3d> points;
  for (int i = 0; i <= n; ++i) points.push_back(from + (to - from) * (static_cast<double>(i) / n));
  return points;
}
double distance_to_segment(Vec3d p, Vec3d from, Vec3d to) {
  const double along = std::clamp(dot(p - from, to - from) / dot(to - from, to - from), 0.0, 1.0);
  return length(p - (from + (to - from) * along));
}

DensityStatistics statistics_of(Context& ctx, const std::vector<float>& gradient, const std::vector<float>& density) {
  return {Buffer<float>::from_host(ctx, gradient),
          Buffer<float>::from_host(ctx, density),
          Buffer<std::uint32_t>::from_host(ctx, std::vector<std::uint32_t>(gradient.size(), 1)),
          1,
          {}};
}

double total_mass(Context& ctx, const Model& model) {
  const std::vector<float> raw = model.cloud.raw_scale.to_host(ctx), a = model.cloud.attenuation.to_host(ctx);
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto s = bounded_scale<double>({raw[3 * i], raw[3 * i + 1], raw[3 * i + 2]}, kBounds.min_mm, kBounds.max_mm);
    sum += softplus<double>(a[i]) * s.x * s.y * s.z;
  }
  return sum;
}

std::vector<Vec3d> eight_gaussians() {
  std::vector<Vec3d> centers;
  for (int i = 0; i < 8; ++i) centers.push_back({-14.0 + 4 * i, 0, 0});
  return centers;
}

const Vec3d kFrom{8, -8, -6}, kTo{16, 4, 6};  // the vessel that is removed

}  // namespace

TEST_CASE("density_event: a low-resolution voxel is the detector's pitch at the volume", "[density_event]") {
  const std::vector<Pose> poses = circular_poses({4, 3.0, 0.2, 5, {}});
  CHECK(low_resolution_voxel_mm(kDetector, kVolume, {poses[0], poses[2]}) == Approx(kVoxel));
  VolumeGrid nearer = kVolume;
  nearer.origin_mm = nearer.origin_mm + poses[1].source_mm * 0.2;  // 150 mm nearer to that view's source
  CHECK(low_resolution_voxel_mm(kDetector, nearer, {poses[1]}) == Approx(2 * 600.0 / 1200));
}

TEST_CASE("density_event: residual-guided splitting keeps the mass, or the printed shape", "[density_event]") {
  Context ctx = test::make_context();
  const bool conserve = GENERATE(true, false);
  const int children = GENERATE(2, 3);
  Config config = config_for();
  config.residual_split.conserve_mass = conserve;
  config.residual_split.children = children;
  TrainingState state = state_of(ctx, config, eight_gaussians(), 1.5, 700);
  // Two of eight are below the threshold.
  state.statistics.split = statistics_of(ctx, {1, 1, 0.1f, 1, 1, 0.1f, 1, 1}, std::vector<float>(8, 1));
  StepSchedule schedule{};
  schedule.residual_split_event = true;
  schedule.residual_split_threshold = 0.5f;
  const double before = total_mass(ctx, state.model);
  const DensityEvents events = run_density_events(ctx, schedule, kVoxel, {}, state);
  CHECK(events.residual_split == 6);
  REQUIRE(state.model.cloud.size() == 2 + 6 * static_cast<std::size_t>(children));
  const double expected = conserve ? before : before * (2 + 6 * children / std::pow(1.6, 3)) / 8;
  CHECK(std::abs(total_mass(ctx, state.model) / expected - 1) < 1e-5);

  // Nothing as small as half a low-resolution voxel is split.
  TrainingState small = state_of(ctx, config, eight_gaussians(), 0.49 * kVoxel, 700);
  small.statistics.split = statistics_of(ctx, std::vector<float>(8, 1), std::vector<float>(8, 1));
  CHECK(run_density_events(ctx, schedule, kVoxel, {}, small).residual_split == 0);
}

TEST_CASE("density_event: RSD, then density control without its parents, then births; statistics follow",
          "[density_event]") {
  Context ctx = test::make_context();
  Config config = config_for();
  config.residual_births.fraction = 0.5;
  TrainingState state = state_of(ctx, config, eight_gaussians(), 1.5, 1000);
  // Gaussian 0: both would take it. 1: density control only. 2: faint, pruned.
  state.statistics.split = statistics_of(ctx, {1, 0, 0, 0, 0, 0, 0, 0}, std::vector<float>(8, 1));
  state.statistics.control = statistics_of(ctx, {1, 1, 0, 0, 0, 0, 0, 0}, {1, 1, 0, 1, 1, 1, 1, 1});
  StepSchedule schedule{};
  schedule.residual_split_event = schedule.density_event = schedule.residual_births_event = true;
  schedule.residual_split_threshold = 0.5f;
  schedule.split_voxels = 100;  // density control clones
  schedule.min_mean_density_per_mm = 0.1f;
  std::size_t asked = 0;
  const auto find = [&](std::size_t max_count) {
    asked = max_count;
    CHECK(state.model.cloud.size() == 9);  // 8 + 1 child − 1 pruned + 1 clone
    return std::vector<GaussianBirth>{{{1, 2, 3}, 0.2f}, {{-4, 5, 6}, 0.1f}};
  };
  const DensityEvents events = run_density_events(ctx, schedule, kVoxel, find, state);
  CHECK(events.residual_split == 1);
  CHECK(events.cloned == 1);
  CHECK(events.split == 0);
  CHECK(events.pruned == 1);
  CHECK(events.born == 2);
  CHECK(asked == 4);
  REQUIRE(state.model.cloud.size() == 11);
  CHECK(state.optimizer[Parameter::rotation].first.size() == 44);
  for (const DensityStatistics* s : {&state.statistics.control, &state.statistics.split}) {
    CHECK(s->gradient_norm.to_host(ctx) == std::vector<float>(11, 0));
    CHECK(s->visible_steps.to_host(ctx) == std::vector<std::uint32_t>(11, 0));
    CHECK(s->density.to_host(ctx) == std::vector<float>(11, 0));
    CHECK(s->steps == 0);
  }
}

TEST_CASE("density_event: statistics of the other kinds go on through an event", "[density_event]") {
  Context ctx = test::make_context();
  const Config config = config_for();
  const std::vector<float> gradient{0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f}, density{1, 2, 3, 9, 5, 6, 7, 8};
  TrainingState state = state_of(ctx, config, eight_gaussians(), 1.5, 600);
  DensificationStatistics& statistics = state.statistics;
  GaussianCloud& cloud = state.model.cloud;
  statistics.control = statistics_of(ctx, gradient, density);
  statistics.split = statistics_of(ctx, gradient, density);
  SECTION("births: as young as nothing, but not pruned for it") {
    const GaussianBirth births[] = {{{1, 2, 3}, 0.2f}, {{-4, 5, 6}, 0.1f}};
    CHECK(append_births(ctx, births, kVoxel, state) == 2);
    for (const DensityStatistics* s : {&statistics.control, &statistics.split}) {
      std::vector<float> g = gradient, d = density;
      g.insert(g.end(), 2, 0.0f);
      d.insert(d.end(), 2, 9.0f);
      CHECK(s->gradient_norm.to_host(ctx) == g);
      CHECK(s->density.to_host(ctx) == d);
      CHECK(s->visible_steps.to_host(ctx)[9] == 0);
      CHECK(s->steps == 1);
    }
    const std::vector<float> position = cloud.position_mm.to_host(ctx);
    CHECK(std::vector<float>(position.end() - 6, position.end()) == std::vector<float>{1, 2, 3, -4, 5, 6});
    const std::vector<float> rotation = cloud.rotation.to_host(ctx);
    CHECK(std::vector<float>(rotation.end() - 4, rotation.end()) == std::vector<float>{1, 0, 0, 0});
    const double raw = cloud.raw_scale.to_host(ctx).back();
    const double scale = bounded_scale<double>({raw, raw, raw}, kBounds.min_mm, kBounds.max_mm).x;
    CHECK(scale == Approx(kVoxel / 2).epsilon(1e-5));
    // The line through the centre of the first misses what it was born for: 0.2.
    const double rho = 0.03 * softplus<double>(cloud.attenuation.to_host(ctx)[8]);
    CHECK(rho * std::sqrt(2 * std::numbers::pi) * scale == Approx(0.2).epsilon(1e-5));
  }
  SECTION("density control alone leaves RSD's") {
    StepSchedule schedule{};
    schedule.density_event = true;
    state.config.density_control.gradient_threshold = 10;
    schedule.min_mean_density_per_mm = 1.5f;  // prunes the first
    run_density_events(ctx, schedule, kVoxel, {}, state);
    std::vector<float> left = statistics.split.gradient_norm.to_host(ctx);
    std::sort(left.begin(), left.end());  // the event has sorted the Gaussians
    CHECK(left == std::vector<float>(gradient.begin() + 1, gradient.end()));
    CHECK(statistics.split.steps == 1);
    CHECK(statistics.control.steps == 0);
  }
  SECTION("the cap holds for all") {
    state.config.density_control.max_gaussians = 9;
    StepSchedule schedule{};
    schedule.residual_split_event = schedule.residual_births_event = true;
    const auto find = [](std::size_t) -> std::vector<GaussianBirth> { throw std::logic_error("no room: not asked"); };
    CHECK(run_density_events(ctx, schedule, kVoxel, find, state).residual_split == 1);
    CHECK(cloud.size() == 9);
  }
}

TEST_CASE("density_event: an event leaves the Gaussians along the curve, each with all that is its own",
          "[density_event]") {
  Context ctx = test::make_context();
  Config config = config_for();
  config.density_control.pixel_weights = true;
  constexpr std::size_t kCount = 500;
  const std::vector<float> at = test::random_values<float>(3 * kCount, -24, 24, 8);
  std::vector<Vec3d> centers;
  for (std::size_t i = 0; i < kCount; ++i) centers.push_back({at[3 * i], at[3 * i + 1], at[3 * i + 2]});
  TrainingState state = state_of(ctx, config, centers, 1.5, 600);
  // Every number of Gaussian i is its x and the array's name tag: whatever moves alone shows.
  GaussianCloud& cloud = state.model.cloud;
  const auto tagged = [&](float tag, std::size_t width) {
    std::vector<float> rows(kCount * width);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = at[3 * (i / width)] + tag + static_cast<float>(i % width);
    return Buffer<float>::from_host(ctx, rows);
  };
  float tag = 0;
  const auto for_each_array = [&](const auto& visit) {
    tag = 100;
    visit(cloud.raw_scale, std::size_t{3});
    visit(cloud.rotation, std::size_t{4});
    visit(cloud.attenuation, std::size_t{1});
    for (const ParameterInfo& p : kParameters) {
      if (p.per_gaussian == nullptr) continue;
      visit(state.optimizer[p.id].first, static_cast<std::size_t>(p.width(state.model.field)));
      visit(state.optimizer[p.id].second, static_cast<std::size_t>(p.width(state.model.field)));
    }
    for (DensityStatistics* s : {&state.statistics.control, &state.statistics.split}) {
      visit(s->gradient_norm, std::size_t{1});
      visit(s->density, std::size_t{1});
      visit(s->pixels, std::size_t{1});
    }
  };
  for_each_array([&](Buffer<float>& array, std::size_t width) {
    REQUIRE(array.size() == kCount * width);
    array = tagged(tag, width);
    tag += 100;
  });
  std::vector<std::uint32_t> steps(kCount);
  std::iota(steps.begin(), steps.end(), 7u);
  state.statistics.control.visible_steps = Buffer<std::uint32_t>::from_host(ctx, steps);

  sort_gaussians(ctx, state);

  const std::vector<float> position = cloud.position_mm.to_host(ctx);
  std::vector<std::uint32_t> order = morton_order_of(ctx, kVolume, cloud.position_mm).to_host(ctx), same(kCount);
  std::iota(same.begin(), same.end(), 0u);
  CHECK(order == same);
  std::vector<float> x_before, x_after;
  for (std::size_t i = 0; i < kCount; ++i) {
    x_before.push_back(at[3 * i]);
    x_after.push_back(position[3 * i]);
  }
  CHECK(x_before != x_after);
  CHECK(std::is_permutation(x_before.begin(), x_before.end(), x_after.begin()));
  for_each_array([&](const Buffer<float>& array, std::size_t width) {
    const std::vector<float> rows = array.to_host(ctx);
    for (std::size_t i = 0; i < rows.size(); ++i)
      REQUIRE(rows[i] == position[3 * (i / width)] + tag + static_cast<float>(i % width));
    tag += 100;
  });
  const std::vector<std::uint32_t> visible = state.statistics.control.visible_steps.to_host(ctx);
  for (std::size_t i = 0; i < kCount; ++i) REQUIRE(at[3 * (visible[i] - 7)] == position[3 * i]);

  StepSchedule schedule{};  // the events themselves sort
  schedule.residual_births_event = true;
  config.residual_births.fraction = 1;
  run_density_events(
      ctx, schedule, kVoxel,
      [](std::size_t) {
        return std::vector<GaussianBirth>{{{1, 2, 3}, 0.2f}, {{-20, -20, -20}, 0.1f}};
      },
      state);
  REQUIRE(cloud.size() == kCount + 2);
  order = morton_order_of(ctx, kVolume, cloud.position_mm).to_host(ctx);
  CHECK(std::is_sorted(order.begin(), order.end()));
  REQUIRE(cloud.position_mm.to_host(ctx).end()[-1] != 3);  // the births are no longer the last
}

TEST_CASE("density_event: Gaussians are born where a vessel was removed", "[density_event]") {
  Context ctx = test::make_context();
  const Config config = config_for();
  std::vector<Vec3d> rest = segment({0, 0, -20}, {-3, 2, 20}), all = rest;
  for (const Vec3d p : segment(kFrom, kTo)) all.push_back(p);
  constexpr double kScale = 1.2;
  const Model truth = model_of(ctx, config, all, kScale), model = model_of(ctx, config, rest, kScale);
  const std::vector<Pose> poses = circular_poses({12, 3.5, 0, 5, {}});
  // Contrast reaches the vessel after the first views, or has been there from the start.
  const std::size_t filled_from = GENERATE(0, 6);
  std::vector<Buffer<float>> images;
  std::vector<ResidualView> views;
  ViewPipeline pipeline;
  const auto render = [&](const Model& m, const Pose& pose) {
    images.emplace_back(ctx, kDetector.num_pixels());
    pipeline.forward(ctx, m.cloud, m.field, {pose, kDetector, 0, true}, images.back());
    return View<const float>(images.back());
  };
  images.reserve(2 * poses.size());
  for (std::size_t v = 0; v < poses.size(); ++v) {
    const auto measured = render(v < filled_from ? model : truth, poses[v]);
    views.push_back({poses[v], measured, render(model, poses[v]), {}});
  }
  const VolumeGrid grid = residual_grid(kVolume, kVoxel);
  CHECK(grid.size_x == 40);
  const std::vector<GaussianBirth> births =
      find_residual_births(ctx, config.residual_births, grid, kDetector, views, 24);
  REQUIRE(births.size() == 24);
  std::size_t on_vessel = 0;
  for (const GaussianBirth& b : births) {
    const double d = distance_to_segment({b.position_mm.x, b.position_mm.y, b.position_mm.z}, kFrom, kTo);
    CAPTURE(d, b.score);
    CHECK(d < 3);
    on_vessel += d < kScale + kVoxel / 2;
  }
  CHECK(on_vessel >= 20);
  CHECK(std::is_sorted(births.begin(), births.end(), [](auto& a, auto& b) { return a.score > b.score; }));

  // Asked of all views at once, a vessel that was empty in one of them lacks nothing.
  ResidualBirthsConfig whole_sweep = config.residual_births;
  whole_sweep.window = 1;
  const auto of_all = find_residual_births(ctx, whole_sweep, grid, kDetector, views, 24);
  const float strongest = of_all.empty() ? 0 : of_all.front().score;
  CHECK((strongest > 0.01f) == (filled_from == 0));
}

}  // namespace dsasrgs
