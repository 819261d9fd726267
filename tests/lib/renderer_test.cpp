// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/renderer.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "common/gaussian_math.hpp"
#include "dsasrgs/error.hpp"
#include "raycast/raycast.hpp"
#include "resample/resample.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

constexpr std::size_t kGaussians = 150;
const VolumeGrid kGrid{160, 160, 160, {0.5, 0.5, 0.5}, {-40, -40, -40}};

/// A static model of random Gaussians with standard deviations from 1 to 3 mm.
Model random_model(Context& ctx) {
  FieldConfig config;
  config.kind = AttenuationKind::constant;
  AttenuationField field(ctx, config, kGrid, 0);
  field.set_density_scale_per_mm(0.02f);
  GaussianCloud cloud;
  cloud.bounds = {0.2f, 8};
  cloud.position_mm = Buffer<float>::from_host(ctx, random_values<float>(3 * kGaussians, -25, 25, 1));
  std::vector<float> raw;
  for (const float s : random_values<float>(3 * kGaussians, 1, 3, 2)) raw.push_back(raw_scale_from(s, 0.2f, 8.0f));
  cloud.raw_scale = Buffer<float>::from_host(ctx, raw);
  cloud.rotation = Buffer<float>::from_host(ctx, random_values<float>(4 * kGaussians, -1, 1, 3));
  cloud.attenuation = Buffer<float>::from_host(ctx, random_values<float>(kGaussians, -1, 1, 4));
  return {std::move(cloud), std::move(field), kGrid, {0, 5}, {96, 80, 1.1, 1.2}, false, {}, ""};
}

Pose tilted_pose() {
  CArmView arm;
  arm.primary_rad = 0.8;
  arm.secondary_rad = -0.25;
  arm.offset_u_mm = 6;
  return carm_pose(arm, 2);
}

}  // namespace

TEST_CASE("renderer: voxelise-then-raycast agrees with rasterising", "[renderer][accuracy]") {
  Context ctx = make_context();
  const Model model = random_model(ctx);
  Renderer renderer(ctx, model);
  const std::vector<float> rasterized = renderer.render(tilted_pose(), model.detector).values;
  const Buffer<float> volume = Buffer<float>::from_host(ctx, renderer.voxelize(kGrid, 2).values);
  Buffer<float> image(ctx, model.detector.num_pixels());
  raycast(ctx, {volume, kGrid, tilted_pose(), model.detector}, image);
  // Cut-off of both, the affine projection of Gaussians up to 3 mm, and trilinear sampling at 0.5 mm.
  CHECK(relative_l2(rasterized, image.to_host(ctx)) < 0.006);
  CHECK(max_difference(rasterized, image.to_host(ctx)) <
        0.008 * *std::max_element(rasterized.begin(), rasterized.end()));
}

TEST_CASE("renderer: with the footprint, a fine render pooled equals the coarse render", "[renderer][accuracy]") {
  Context ctx = make_context();
  Model model = random_model(ctx);
  model.pixel_footprint = true;
  Renderer renderer(ctx, model);
  const int scale = 4;
  const std::vector<float> coarse = renderer.render(tilted_pose(), model.detector).values;
  const Buffer<float> fine =
      Buffer<float>::from_host(ctx, renderer.render(tilted_pose(), model.detector.refined(scale)).values);
  Buffer<float> pooled(ctx, coarse.size());
  pool_average(ctx, {model.detector.width_px, model.detector.height_px, scale}, fine, pooled);
  CHECK(relative_l2(coarse, pooled.to_host(ctx)) < 0.001);
}

TEST_CASE("renderer: the mean volume of a static model is its volume", "[renderer]") {
  Context ctx = make_context();
  const Model model = random_model(ctx);
  Renderer renderer(ctx, model);
  const VolumeGrid coarse = kGrid.coarsened(4);
  CHECK(relative_l2(renderer.voxelize_mean(coarse, 3).values, renderer.voxelize(coarse, 1).values) < 1e-6);
  CHECK_THROWS_AS(renderer.voxelize_mean(coarse, 0), InvalidArgument);
}

TEST_CASE("renderer: a model with a non-finite density is an error, not a picture", "[renderer]") {
  Context ctx = make_context();
  Model model = random_model(ctx);
  model.field.set_density_scale_per_mm(std::numeric_limits<float>::infinity());
  Renderer renderer(ctx, model);
  require_error<NumericalError>([&] { renderer.render(tilted_pose(), model.detector); },
                                {"Renderer::render", "row ", "column ", "time 2.0"});
  require_error<NumericalError>([&] { renderer.voxelize(kGrid.coarsened(8), 1); },
                                {"Renderer::voxelize", "voxel (", "time 1.0"});
  require_error<NumericalError>([&] { renderer.voxelize_mean(kGrid.coarsened(8), 3); }, {"the mean of 3 moments"});
}

TEST_CASE("renderer: a pose whose detector axes are not orthogonal unit vectors is refused", "[renderer]") {
  Context ctx = make_context();
  const Model model = random_model(ctx);
  Renderer renderer(ctx, model);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Pose longer = tilted_pose(), skew = tilted_pose(), unknown = tilted_pose(), inside = tilted_pose(), endless = inside;
  longer.detector_u = longer.detector_u * 2.0;
  skew.detector_v = skew.detector_v * 0.8 + skew.detector_u * 0.6;
  unknown.detector_u.y = nan;
  inside.source_mm = inside.detector_center_mm + inside.detector_u * 5.0;
  endless.detector_center_mm.x = std::numeric_limits<double>::infinity();
  for (const Pose& pose : {longer, skew, unknown})
    require_error<InvalidArgument>([&] { renderer.render(pose, model.detector); }, {"orthogonal unit vectors"});
  require_error<InvalidArgument>([&] { renderer.render(inside, model.detector); }, {"outside the detector's plane"});
  require_error<InvalidArgument>([&] { renderer.render(endless, model.detector); }, {"within 1e9 mm"});
}

TEST_CASE("renderer: images and volumes carry their sizes", "[renderer]") {
  Context ctx = make_context();
  const Model model = random_model(ctx);
  Renderer renderer(ctx, model);
  const Image image = renderer.render(tilted_pose(), {7, 5, 10, 12});
  CHECK(image.width_px == 7);
  CHECK(image.height_px == 5);
  REQUIRE(image.values.size() == 35);
  CHECK(image.at(3, 2) == image.values[23]);
  const VolumeGrid grid{3, 4, 5, {10, 10, 10}, {-15, -20, -25}};
  const Volume volume = renderer.voxelize(grid, 1);
  CHECK(volume.grid == grid);
  CHECK(volume.frames == 1);
  CHECK(volume.values.size() == 60);
}

TEST_CASE("renderer: into a caller's memory goes the same image", "[renderer]") {
  Context ctx = make_context();
  const Model model = random_model(ctx);
  Renderer renderer(ctx, model);
  const std::size_t pixels = model.detector.num_pixels();
  const Pose second = carm_pose({}, 3);
  Buffer<float> sweep(ctx, 2 * pixels);
  renderer.render_into(tilted_pose(), model.detector, sweep.view().subview(0, pixels));
  renderer.render_into(second, model.detector, sweep.view().subview(pixels, pixels));
  std::vector<float> expected = renderer.render(tilted_pose(), model.detector).values;
  const std::vector<float> after = renderer.render(second, model.detector).values;
  expected.insert(expected.end(), after.begin(), after.end());
  CHECK(sweep.to_host(ctx) == expected);
  CHECK_THROWS_AS(renderer.render_into(second, model.detector, sweep), InvalidArgument);  // twice as large
  const View<float> nowhere(nullptr, pixels);
  require_error<InvalidArgument>([&] { renderer.render_into(second, model.detector, nowhere); }, {"a null view"});
}

TEST_CASE("renderer: sizes that are not positive are named", "[renderer]") {
  Context ctx = make_context();
  const Model model = random_model(ctx);
  Renderer renderer(ctx, model);
  require_error<InvalidArgument>([&] { renderer.render(tilted_pose(), {-5, 4, 1, 1}); }, {"detector", "-5 x 4"});
  require_error<InvalidArgument>([&] { renderer.render_into(tilted_pose(), {4, 0, 1, 1}, {}); }, {"detector", "4 x 0"});
  require_error<InvalidArgument>([&] { renderer.voxelize({3, -1, 2, {1, 1, 1}, {}}, 0); }, {"grid", "3 x -1 x 2"});
  require_error<InvalidArgument>([&] { renderer.voxelize_mean({0, 1, 2, {1, 1, 1}, {}}, 2); }, {"grid", "0 x 1 x 2"});
}

TEST_CASE("renderer: shares a model, or refuses one that would be gone", "[renderer]") {
  static_assert(std::is_constructible_v<Renderer, Context&, const Model&>);
  static_assert(std::is_constructible_v<Renderer, Context&, std::shared_ptr<Model>>);
  static_assert(!std::is_constructible_v<Renderer, Context&, Model>);
  Context ctx = make_context();
  auto model = std::make_shared<Model>(random_model(ctx));
  const Detector detector = model->detector;
  const Image expected = Renderer(ctx, *model).render(tilted_pose(), detector);
  Renderer first(ctx, model);
  model.reset();
  Renderer renderer = std::move(first);
  CHECK(renderer.render(tilted_pose(), detector) == expected);
  CHECK_THROWS_AS(Renderer(ctx, std::shared_ptr<const Model>()), InvalidArgument);
}

TEST_CASE("renderer: one that was moved from says so", "[renderer]") {
  Context ctx = make_context();
  const Model model = random_model(ctx);
  Renderer moved_from(ctx, model);
  Renderer renderer = std::move(moved_from);
  CHECK_NOTHROW(renderer.voxelize({2, 2, 2, {1, 1, 1}, {-1, -1, -1}}, 2));
  const auto wanted = {std::string_view("Renderer: expected one that was not moved from, found one that was")};
  Buffer<float> image(ctx, model.detector.num_pixels());
  require_error<InvalidArgument>([&] { moved_from.render(tilted_pose(), model.detector); }, wanted);
  require_error<InvalidArgument>([&] { moved_from.render_into(tilted_pose(), model.detector, image); }, wanted);
  require_error<InvalidArgument>([&] { moved_from.voxelize(kGrid, 2); }, wanted);
  require_error<InvalidArgument>([&] { moved_from.voxelize_mean(kGrid, 2); }, wanted);
  moved_from = Renderer(ctx, model);
  CHECK_NOTHROW(moved_from.voxelize({2, 2, 2, {1, 1, 1}, {-1, -1, -1}}, 2));
}

TEST_CASE("renderer: times that are NaN and counts without end are refused", "[renderer]") {
  Context ctx = make_context();
  const Model model = random_model(ctx);
  Renderer renderer(ctx, model);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Pose pose = tilted_pose();
  pose.time_s = nan;
  CHECK_THROWS_AS(renderer.render(pose, model.detector), InvalidArgument);
  CHECK_THROWS_AS(renderer.voxelize(kGrid, nan), InvalidArgument);
  CHECK_THROWS_AS((TimeRange{0, 5}.model_time(nan)), InvalidArgument);
  CHECK_THROWS_AS((TimeRange{nan, 5}.model_time(1)), InvalidArgument);
  CHECK_THROWS_AS((TimeRange{0, nan}.model_time(1)), InvalidArgument);
  CHECK(TimeRange{0, 5}.model_time(std::numeric_limits<double>::infinity()) == 1);
  constexpr double kMost = std::numeric_limits<double>::max();
  CHECK(TimeRange{-kMost, kMost}.model_time(kMost) == 1);
  require_error<InvalidArgument>([&] { renderer.voxelize_mean(kGrid, std::numeric_limits<int>::max()); },
                                 {"frames: expected 1 to 1048576", "found 2147483647"});
}

TEST_CASE("image: pixels that are not there are refused", "[renderer]") {
  Image image{3, 2, {0, 1, 2, 3, 4, 5}};
  CHECK(image.at(1, 2) == 5);
  require_error<InvalidArgument>([&] { image.at(0, 3); }, {"Image::at", "3 columns", "found row 0, column 3"});
  CHECK_THROWS_AS(image.at(2, 0), InvalidArgument);
  CHECK_THROWS_AS(image.at(-1, 0), InvalidArgument);
  CHECK_THROWS_AS(std::as_const(image).at(0, -1), InvalidArgument);
  image.values.pop_back();
  CHECK_THROWS_AS(image.at(1, 2), InvalidArgument);
}
