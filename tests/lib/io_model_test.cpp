// SPDX-License-Identifier: Apache-2.0
// Model files: what is written can be read.
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "dsasrgs/config.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/model.hpp"
#include "files/hdf5_file.hpp"
#include "support/context.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
const VolumeGrid kBox{4, 3, 2, {1, 1.5, 2}, {-2, -2, -2}};

/// Two Gaussians, trained on views 0 and 2.
Model small_model(Context& ctx, AttenuationKind kind = AttenuationKind::constant) {
  Config config = preset_config("4drgs");
  config.field.kind = kind;
  config.field.grid3d = config.field.grid4d = {2, 4, 2, 1.5};
  config.field.width = 8;
  AttenuationField field(ctx, config.field, kBox, 0);
  GaussianCloud cloud;
  cloud.bounds = {0.2f, 8};
  cloud.position_mm = Buffer<float>::from_host(ctx, std::vector<float>(6, 0.5f));
  cloud.raw_scale = Buffer<float>::from_host(ctx, std::vector<float>(6, -1));
  cloud.rotation = Buffer<float>::from_host(ctx, std::vector<float>{1, 0, 0, 0, 1, 0, 0, 0});
  cloud.attenuation = Buffer<float>::from_host(
      ctx, std::vector<float>(2 * static_cast<std::size_t>(field.coefficients_per_gaussian())));
  return {std::move(cloud),         std::move(field), kBox, {0, 5}, {5, 3, 1, 1}, true,
          {{0, 2}, {1, 1}, {0, 0}}, to_toml(config),  {1}};
}

}  // namespace

TEST_CASE("model file: what read_model would refuse is not written", "[io][model]") {
  Context ctx = make_context();
  const TemporaryFolder folder;
  const auto path = folder / "model.h5";
  for (const AttenuationKind kind :
       {AttenuationKind::constant, AttenuationKind::offset_table, AttenuationKind::neural}) {
    write_model(ctx, path, small_model(ctx, kind));
    CHECK(read_model(ctx, path).test_views == std::vector<int>{1});
  }
  std::filesystem::remove(path);

  const auto floats = [&](std::vector<float> values) { return Buffer<float>::from_host(ctx, values); };
  const auto refused = [&]<class E>(E*, const std::function<void(Model&)>& change, const std::string& text) {
    Model model = small_model(ctx, AttenuationKind::neural);
    change(model);
    require_error<E>([&] { write_model(ctx, path, model); }, {"write_model: " + text});
    CHECK(folder.num_files() == 0);
  };
  constexpr InvalidArgument* kArgument = nullptr;
  constexpr NumericalError* kNumber = nullptr;
  refused(
      kNumber,
      [&](Model& m) {
        m.cloud.raw_scale = floats({1, 1, 1, kNaN, 1, 1});
      },
      "/gaussians/raw_scale: expected finite numbers, found nan at element 3");
  refused(
      kNumber,
      [&](Model& m) {
        std::vector<float> network = m.field.parameters().network.to_host(ctx);
        network[2] = std::numeric_limits<float>::infinity();
        m.field.parameters().network = floats(network);
      },
      "/field/network: expected finite numbers");
  refused(
      kArgument,
      [&](Model& m) {
        m.cloud.rotation = floats({1, 0, 0, 0});
      },
      "/gaussians/rotation: expected 8 values, found 4");
  refused(
      kArgument,
      [&](Model& m) {
        m.field.parameters().table4d = floats({1, 0});
      },
      "/field/table4d: expected ");
  refused(
      kArgument,
      [&](Model& m) {
        m.cloud.attenuation = floats({1, 0});
      },
      "/gaussians/attenuation: expected 0");
  refused(
      kArgument,
      [](Model& m) {
        m.cloud.bounds = {2, 1};
      },
      "/gaussians@scale_max_mm: expected more than");
  refused(
      kArgument, [](Model& m) { m.cloud.bounds = {}; }, "/gaussians@scale_min_mm: expected a positive");
  refused(
      kArgument, [](Model& m) { m.field.set_density_scale_per_mm(kNaN); }, "/field@density_scale_per_mm");
  refused(
      kArgument, [](Model& m) { m.volume.size_x = 0; }, "/volume@size");
  refused(
      kArgument, [](Model& m) { m.volume.size_x = 5; }, "/volume: expected the box");
  refused(
      kArgument, [](Model& m) { m.volume.origin_mm.y = HUGE_VAL; }, "/volume@origin_mm");
  refused(
      kArgument, [](Model& m) { m.detector.pitch_v_mm = -1; }, "/detector");
  refused(
      kArgument, [](Model& m) { m.detector.pitch_v_mm = HUGE_VAL; }, "/detector@pixel_pitch_mm");
  refused(
      kArgument, [](Model& m) { m.time.last_s = HUGE_VAL; }, "/time@last_s");
  refused(
      kArgument, [](Model& m) { m.time.last_s = m.time.first_s - 1; }, "/time@last_s: expected not before");
  refused(
      kNumber,
      [&](Model& m) {
        m.cloud.rotation = floats({1, 0, 0, 0, 0, 0, 0, 0});
      },
      "/gaussians/rotation: expected quaternions, which are not zero, found zero at row 1");
  refused(
      kArgument, [](Model& m) { m.nuisance.gain.pop_back(); }, "/nuisance/gain: expected 2 values");
  refused(
      kArgument, [](Model& m) { m.nuisance.offset[1] = kNaN; }, "/nuisance/offset: expected finite");
  refused(
      kArgument,
      [](Model& m) {
        m.nuisance.view = {2, 0};
      },
      "/nuisance/view[1]: expected views in ascending");
  refused(
      kArgument,
      [](Model& m) {
        m.nuisance.view = {-1, 0};
      },
      "/nuisance/view[0]: expected a view of 0 or more");
  refused(
      kArgument, [](Model& m) { m.test_views = {-5}; }, "/test_views[0]: expected a view of 0 or more, found -5");
  refused(
      kArgument,
      [](Model& m) {
        m.test_views = {1, 1};
      },
      "/test_views[1]");
  refused(
      kArgument,
      [](Model& m) {
        m.test_views = {1, 2};
      },
      "/test_views: expected views that are not in");
  refused(
      kArgument, [](Model& m) { m.config_toml = "x = 1"; }, "/@config: expected a configuration, found config: x");
  refused(
      kArgument, [](Model& m) { m.config_toml = ""; }, "/@config: expected the configuration that the field");
}

TEST_CASE("model file: views and numbers that cannot be are refused when it is read", "[io][model]") {
  Context ctx = make_context();
  const TemporaryFolder folder;
  struct Numbers {
    double spacing_mm = 1, origin_mm = 0, last_s = 1, pitch_mm = 1, density_scale_per_mm = 1;
  };
  const auto refused = [&](const std::string& field, const std::vector<int>& views, const std::string& found,
                           const Numbers& numbers) {
    // Written by hand: write_model refuses it.
    const Model model = small_model(ctx);
    Hdf5Writer file(folder / "model.h5");
    file.set_format("dsasrgs.model", 1);
    file.attribute("/", "config", std::string_view(model.config_toml));
    file.write("/gaussians/position_mm", std::vector<float>(6), {2, 3});
    file.write("/gaussians/raw_scale", std::vector<float>(6), {2, 3});
    file.write("/gaussians/rotation", std::vector<float>(8, 1), {2, 4});
    file.write("/gaussians/attenuation", std::vector<float>(2), {2, 1});
    for (const char* array : {"/field/table3d", "/field/table4d", "/field/network"})
      file.write(array, std::vector<float>{}, {0});
    file.attribute("/gaussians", "scale_min_mm", 0.2);
    file.attribute("/gaussians", "scale_max_mm", 8.0);
    file.attribute("/field", "density_scale_per_mm", numbers.density_scale_per_mm);
    file.group("/volume");
    file.attribute("/volume", "size", std::vector<std::int64_t>{4, 3, 2});
    file.attribute("/volume", "spacing_mm", std::vector<double>{1, numbers.spacing_mm, 1});
    file.attribute("/volume", "origin_mm", std::vector<double>{0, 0, numbers.origin_mm});
    file.group("/time");
    file.attribute("/time", "first_s", 0.0);
    file.attribute("/time", "last_s", numbers.last_s);
    file.group("/detector");
    file.attribute("/detector", "size", std::vector<std::int64_t>{5, 3});
    file.attribute("/detector", "pixel_pitch_mm", std::vector<double>{1, numbers.pitch_mm});
    file.attribute("/detector", "pixel_footprint", 1);
    const std::vector<int> trained = field == "/nuisance/view" ? views : std::vector<int>{0, 2};
    file.write("/nuisance/view", trained, {trained.size()});
    file.write("/nuisance/gain", std::vector<float>(trained.size(), 1), {trained.size()});
    file.write("/nuisance/offset", std::vector<float>(trained.size()), {trained.size()});
    if (field == "/test_views") file.write(field, views, {views.size()});
    file.commit();
    if (found.empty())
      CHECK_NOTHROW(read_model(ctx, folder / "model.h5"));
    else
      require_error<BadInput>([&] { read_model(ctx, folder / "model.h5"); }, {"model.h5: " + field, found});
  };
  refused("/test_views", {1, 1000000000}, "", {});  // whether they are there only an acquisition knows
  refused("/test_views", {-5}, "expected a view of 0 or more, found -5", {});
  refused("/test_views", {3, 1}, "[1]: expected views in ascending order, each once, found 1 after 3", {});
  refused("/test_views", {1, 1}, "found 1 after 1", {});
  refused("/test_views", {2}, "expected views that are not in /nuisance/view, found 2 in both", {});
  refused("/nuisance/view", {-1, 3}, "found -1", {});
  refused("/nuisance/view", {3, 3}, "found 3 after 3", {});
  // Beyond what single precision can do with, though finite.
  refused("/volume@spacing_mm", {}, "expected 1e-6 to 1e9 mm, found 1e+300", {.spacing_mm = 1e300});
  refused("/volume@spacing_mm", {}, "found 1e-12", {.spacing_mm = 1e-12});
  refused("/volume@origin_mm", {}, "expected numbers within 1e9 mm, found -1000000000000", {.origin_mm = -1e12});
  refused("/time@last_s", {}, "expected a time within 1e9 s, found 1e+300", {.last_s = 1e300});
  refused("/detector@pixel_pitch_mm", {}, "expected 1e-6 to 1e9 mm, found 10000000000", {.pitch_mm = 1e10});
  refused("/field@density_scale_per_mm", {}, "expected a positive finite number, found inf",
          {.density_scale_per_mm = 1e300});
  refused("/field@density_scale_per_mm", {}, "expected a positive finite number, found 0",
          {.density_scale_per_mm = 1e-300});
}

TEST_CASE("model file: pose corrections come back bit for bit, and those that fit no sweep are refused",
          "[io][model][pose]") {
  Context ctx = make_context();
  const TemporaryFolder folder;
  const auto path = folder / "model.h5";
  Model model = small_model(ctx);
  PoseCorrection& c = model.pose_correction;
  c.view = {0, 2};
  for (const double primary : {0.3, 1.1}) {
    CArmView arm;
    arm.primary_rad = primary;
    c.nominal.push_back(carm_pose(arm, primary));
  }
  c.pivot_mm = {0, 0.25, 1};
  c.sweep = {1.5, -2, 3, 0.01, -0.02, 0.003};
  for (int k = 0; k < 5; ++k) c.knots.push_back({{0.001 * k, 0.002, -0.003}, {1.0 * k, 2, -3}});
  c.remainder = {{{0.01, 0, 0}, {0, 0.5, 0}}, {{0, -0.01, 0}, {0.25, 0, 0}}};
  write_model(ctx, path, model);
  const PoseCorrection read = read_model(ctx, path).pose_correction;
  CHECK(read.view == c.view);
  CHECK(read.pivot_mm == c.pivot_mm);
  CHECK(read.sweep.offset_v_mm == -2);
  CHECK(read.sweep.arc_scale == 0.003);
  REQUIRE(read.knots.size() == 5);
  CHECK(read.knots[4].shift_mm == c.knots[4].shift_mm);
  CHECK(read.remainder[1].turn_rad == c.remainder[1].turn_rad);
  CHECK(read.nominal[1].detector_u == c.nominal[1].detector_u);
  CHECK(read.nominal[1].time_s == c.nominal[1].time_s);
  const Pose a = PoseCorrector(c).corrected_training_view(1), b = PoseCorrector(read).corrected_training_view(1);
  CHECK(a.source_mm == b.source_mm);
  CHECK(!(a.source_mm == c.nominal[1].source_mm));

  const auto refused = [&](const std::function<void(PoseCorrection&)>& change, const std::string& text) {
    Model other = small_model(ctx);
    other.pose_correction = c;
    change(other.pose_correction);
    require_error<InvalidArgument>([&] { write_model(ctx, path, other); }, {"write_model: /pose_correction", text});
  };
  refused([](PoseCorrection& p) { p.view = {0, 1}; }, "the views of /nuisance/view");
  refused([](PoseCorrection& p) { p.knots.resize(3); }, "expected 4 knots or more");
  refused([](PoseCorrection& p) { p.remainder[0].shift_mm.y = std::nan(""); }, "expected finite numbers");
  refused([](PoseCorrection& p) { p.nominal[1] = p.nominal[0]; }, "corrections of poses on an arc");
  refused([](PoseCorrection& p) { p.sweep.distance_mm = 1e300; }, "corrections of poses on an arc");
  CHECK(folder.num_files() == 1);
}
