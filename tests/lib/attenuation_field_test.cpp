// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/attenuation_field.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "dsasrgs/error.hpp"
#include "field_pass.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

constexpr std::size_t kGaussians = 300;
const VolumeGrid kBox{50, 40, 30, {1, 1.5, 2}, {-25, -30, -30}};

FieldConfig small_field(AttenuationKind kind) {
  FieldConfig c;
  c.kind = kind;
  c.grid3d = {5, 10, 3, 1.6};
  c.grid4d = {4, 10, 2, 1.5};
  c.width = 24;
  return c;
}

GaussianCloud random_cloud(Context& ctx, int coefficients) {
  GaussianCloud cloud;
  std::vector<float> position = random_values<float>(3 * kGaussians, -20, 20, 1);
  cloud.position_mm = Buffer<float>::from_host(ctx, position);
  cloud.raw_scale = Buffer<float>::from_host(ctx, random_values<float>(3 * kGaussians, -2, 0, 2));
  cloud.rotation = Buffer<float>::from_host(ctx, random_values<float>(4 * kGaussians, 0.2f, 1, 3));
  cloud.attenuation = Buffer<float>::from_host(
      ctx, random_values<float>(kGaussians * static_cast<std::size_t>(coefficients), -1, 1, 4));
  cloud.bounds = {0.2f, 8};
  return cloud;
}

}  // namespace

TEST_CASE("attenuation field: every Gaussian of a fresh neural field is visible and alive", "[attenuation]") {
  Context ctx = make_context();
  AttenuationField field(ctx, small_field(AttenuationKind::neural), kBox, 5);
  field.set_density_scale_per_mm(0.03f);
  const GaussianCloud cloud = random_cloud(ctx, 0);
  FieldPass pass;
  Buffer<float> density(ctx, kGaussians);
  pass.forward(ctx, field, cloud, 0.4f, density);
  for (const float d : density.to_host(ctx)) CHECK(d == Approx(0.03).epsilon(0.05));
}

TEST_CASE("attenuation field: numbers that are no enumerators are refused", "[attenuation]") {
  Context ctx = make_context();
  FieldConfig config = small_field(static_cast<AttenuationKind>(99));
  CHECK_THROWS_WITH(AttenuationField(ctx, config, kBox, 0),
                    "AttenuationField: kind: expected static or offset-table or neural, found the number 99");
  config = small_field(AttenuationKind::neural);
  config.precision = static_cast<FieldPrecision>(99);
  CHECK_THROWS_AS(AttenuationField(ctx, config, kBox, 0), InvalidArgument);
}
