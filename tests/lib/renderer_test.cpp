#include "dsasrgs/renderer.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "common/gaussian_math.hpp"
#include "dsasrgs/error.hpp"
#include "raycast/raycast.hpp"
#include "resample/resample.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"

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
  const std::vector<float> rasterized = renderer.render(tilted_pose(), model.detector);
  const Buffer<float> volume = Buffer<float>::from_host(ctx, renderer.voxelize(kGrid, 2));
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
  const std::vector<float> coarse = renderer.render(tilted_pose(), model.detector);
  const Buffer<float> fine =
      Buffer<float>::from_host(ctx, renderer.render(tilted_pose(), model.detector.refined(scale)));
  Buffer<float> pooled(ctx, coarse.size());
  pool_average(ctx, {model.detector.width_px, model.detector.height_px, scale}, fine, pooled);
  CHECK(relative_l2(coarse, pooled.to_host(ctx)) < 0.001);
}

TEST_CASE("renderer: the mean volume of a static model is its volume", "[renderer]") {
  Context ctx = make_context();
  const Model model = random_model(ctx);
  Renderer renderer(ctx, model);
  const VolumeGrid coarse = kGrid.coarsened(4);
  CHECK(relative_l2(renderer.voxelize_mean(coarse, 3), renderer.voxelize(coarse, 1)) < 1e-6);
  CHECK_THROWS_AS(renderer.voxelize_mean(coarse, 0), InvalidArgument);
}

TEST_CASE("renderer: a model with a non-finite density is an error, not a picture", "[renderer]") {
  Context ctx = make_context();
  Model model = random_model(ctx);
  model.field.set_density_scale_per_mm(std::numeric_limits<float>::infinity());
  Renderer renderer(ctx, model);
  CHECK_THROWS_AS(renderer.render(tilted_pose(), model.detector), NumericalError);
}
