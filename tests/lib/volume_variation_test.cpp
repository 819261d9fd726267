// SPDX-License-Identifier: Apache-2.0
// The total-variation term: block → voxeliser → TV and back, through the view's pipeline into every parameter.

#include "train/volume_variation.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "oracle/tv_oracle.hpp"
#include "oracle/voxelize_oracle.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/model_gradient.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

const VolumeGrid kVolume{14, 11, 9, {1, 1.5, 2}, {-8, -9, -10}};
const TrainingUnits kUnits{9, 1.5};
constexpr float kTime = 0.62f, kScalePerMm = 0.03f;
const ScaleBounds kBounds{4, 12};

TrainingConfig term_config() {
  TrainingConfig config;
  config.tv_weight = 0.7;
  config.tv_block = 6;
  config.seed = 3;
  return config;
}

FieldConfig field_config(AttenuationKind kind) {
  FieldConfig config;
  config.kind = kind;
  config.grid3d = {4, 10, 3, 1.6};
  config.grid4d = {4, 10, 2, 1.5};
  config.width = 16;
  return config;
}

/// Gaussians so wide that none ends inside a block: there the volume, and so its variation, is smooth.
GaussianCloud wide_cloud(Context& ctx, std::size_t n, int coefficients) {
  GaussianCloud cloud;
  cloud.position_mm = Buffer<float>::from_host(ctx, random_values<float>(3 * n, -6, 6, 1));
  cloud.raw_scale = Buffer<float>::from_host(ctx, random_values<float>(3 * n, -1, 1, 2));
  cloud.rotation = Buffer<float>::from_host(ctx, random_values<float>(4 * n, -1, 1, 3));
  cloud.attenuation =
      Buffer<float>::from_host(ctx, random_values<float>(n * static_cast<std::size_t>(coefficients), -1, 1, 4));
  cloud.bounds = kBounds;
  return cloud;
}

struct Gradients {
  std::vector<float> position, raw_scale, rotation, attenuation, table4d, network;
};

/// Of image_weight · Σ w·I + the term at `step`, through the pipeline.
Gradients gradients(Context& ctx, const GaussianCloud& cloud, const AttenuationField& field, float image_weight,
                    bool with_term, int step) {
  CArmView arm;
  arm.primary_rad = 0.4;
  const ViewRequest view{carm_pose(arm, 0), {24, 20, 2.5, 2.5}, kTime, true};
  ViewPipeline pipeline;
  Buffer<float> image(ctx, view.detector.num_pixels());
  pipeline.forward(ctx, cloud, field, view, image);
  std::vector<float> weight = random_values<float>(image.size(), -1, 1, 5);
  for (float& w : weight) w *= image_weight;
  ModelGradient g;
  VolumeVariation term(kVolume, kUnits, term_config());
  const auto add = [&](ModelGradient& to) {
    if (with_term) term.add_gradient(ctx, cloud.view(), pipeline.density(), step, to);
  };
  pipeline.backward(ctx, cloud, field, view, Buffer<float>::from_host(ctx, weight), g, add);
  const auto of = [&](Parameter p) { return gradient_of(ctx, g, cloud, field, p); };
  return {of(Parameter::position),    of(Parameter::raw_scale), of(Parameter::rotation),
          of(Parameter::attenuation), of(Parameter::table4d),   of(Parameter::network)};
}

}  // namespace

TEST_CASE("volume variation: blocks are whole voxels inside the volume, drawn anew each step", "[volume_variation]") {
  std::set<double> first_x, first_z;
  for (int step = 1; step <= 200; ++step) {
    const VolumeGrid b = variation_block(kVolume, 6, 3, step);
    CHECK(b == variation_block(kVolume, 6, 3, step));
    REQUIRE((b.size_x == 6 && b.size_y == 6 && b.size_z == 6));
    const Vec3d from = b.origin_mm - kVolume.origin_mm;
    const double x = from.x / 1, y = from.y / 1.5, z = from.z / 2;
    REQUIRE((x == std::round(x) && y == std::round(y) && z == std::round(z)));
    REQUIRE((x >= 0 && x <= 8 && y >= 0 && y <= 5 && z >= 0 && z <= 3));
    first_x.insert(x);
    first_z.insert(z);
  }
  CHECK(first_x.size() == 9);
  CHECK(first_z.size() == 4);
  CHECK(variation_block(kVolume, 6, 3, 1) != variation_block(kVolume, 6, 4, 1));
  CHECK(variation_block(kVolume, 32, 3, 1) == kVolume);
}

TEST_CASE("volume variation: gradients agree with central differences of the double oracle", "[volume_variation]") {
  Context ctx = make_context();
  constexpr std::size_t n = 5;
  constexpr int step = 17;
  AttenuationField field(ctx, field_config(AttenuationKind::constant), kVolume, 5);
  field.set_density_scale_per_mm(kScalePerMm);
  const GaussianCloud cloud = wide_cloud(ctx, n, 1);
  const Gradients found = gradients(ctx, cloud, field, 0, true, step);

  const auto p = cloud.position_mm.to_host(ctx), s = cloud.raw_scale.to_host(ctx), q = cloud.rotation.to_host(ctx),
             a = cloud.attenuation.to_host(ctx);
  std::vector<double> at;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < 3; ++k) at.push_back(p[3 * i + k]);
    for (std::size_t k = 0; k < 3; ++k) at.push_back(s[3 * i + k]);
    for (std::size_t k = 0; k < 4; ++k) at.push_back(q[4 * i + k]);
    at.push_back(a[i]);
  }
  const VolumeGrid block = variation_block(kVolume, 6, 3, step);
  // 0.7 · TV of the volume in units of 1.5 per 9 mm.
  const auto objective = [&](const std::vector<double>& v) {
    std::vector<OracleGaussian> gaussians(n);
    for (std::size_t i = 0; i < n; ++i) {
      std::copy_n(v.begin() + 11 * static_cast<long>(i), 11, gaussians[i].begin());
      gaussians[i][10] = static_cast<double>(kScalePerMm) * std::log1p(std::exp(v[11 * i + 10]));
    }
    const auto volume = oracle_voxelize(gaussians, kBounds.min_mm, kBounds.max_mm, block).value;
    return 0.7 * 9 / 1.5 * total_variation_oracle(volume, block.size_x, block.size_y, block.size_z);
  };
  const auto numeric = numeric_gradient(objective, at, 1e-6);
  std::vector<float> all;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < 3; ++k) all.push_back(found.position[3 * i + k]);
    for (std::size_t k = 0; k < 3; ++k) all.push_back(found.raw_scale[3 * i + k]);
    for (std::size_t k = 0; k < 4; ++k) all.push_back(found.rotation[4 * i + k]);
    all.push_back(found.attenuation[i]);
  }
  for (std::size_t k = 0; k < 11; ++k) {  // each parameter by itself, as their gradients differ in size
    std::vector<double> want, got;
    for (std::size_t i = 0; i < n; ++i) {
      want.push_back(numeric[11 * i + k]);
      got.push_back(all[11 * i + k]);
    }
    CAPTURE(k);
    CHECK(inner_product(want, want) > 0);
    CHECK(relative_l2(got, want) < 1e-4);
  }
}

TEST_CASE("volume variation: the term's gradient goes through the field with the image's", "[volume_variation]") {
  Context ctx = make_context();
  for (const AttenuationKind kind : {AttenuationKind::neural, AttenuationKind::offset_table}) {
    CAPTURE(name_of(kind));
    AttenuationField field(ctx, field_config(kind), kVolume, 5);
    field.set_density_scale_per_mm(kScalePerMm);
    const GaussianCloud cloud = wide_cloud(ctx, 40, field.coefficients_per_gaussian());
    const Gradients image = gradients(ctx, cloud, field, 0.02f, false, 4),
                    term = gradients(ctx, cloud, field, 0, true, 4),
                    both = gradients(ctx, cloud, field, 0.02f, true, 4);
    const auto check = [](const std::vector<float>& a, const std::vector<float>& b, const std::vector<float>& sum) {
      if (sum.empty()) return;
      std::vector<float> expected;
      for (std::size_t i = 0; i < a.size(); ++i) expected.push_back(a[i] + b[i]);
      CHECK(relative_l2(sum, expected) < 1e-5);
      CHECK(inner_product(b, b) > 1e-6 * inner_product(a, a));  // else the sum would say nothing about the term
    };
    check(image.position, term.position, both.position);
    check(image.raw_scale, term.raw_scale, both.raw_scale);
    check(image.rotation, term.rotation, both.rotation);
    check(image.attenuation, term.attenuation, both.attenuation);
    check(image.table4d, term.table4d, both.table4d);
    check(image.network, term.network, both.network);
  }
}

TEST_CASE("volume variation: CUDA agrees with the CPU", "[volume_variation][parity]") {
  const auto on = [](Context ctx) {
    AttenuationField field(ctx, field_config(AttenuationKind::offset_table), kVolume, 5);
    field.set_density_scale_per_mm(kScalePerMm);
    return gradients(ctx, wide_cloud(ctx, 60, 6), field, 0, true, 9);
  };
  const Gradients cpu = on(Context::cpu(1)), cuda = on(make_context());
  CHECK(relative_l2(cuda.position, cpu.position) < 1e-4);
  CHECK(relative_l2(cuda.raw_scale, cpu.raw_scale) < 1e-4);
  CHECK(relative_l2(cuda.rotation, cpu.rotation) < 1e-4);
  CHECK(relative_l2(cuda.attenuation, cpu.attenuation) < 1e-4);
}
