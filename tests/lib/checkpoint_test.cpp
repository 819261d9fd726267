#include "checkpoint.hpp"

#include <catch2/catch.hpp>
#include <utility>
#include <vector>

#include "support/context.hpp"
#include "support/random_values.hpp"
#include "support/temporary_folder.hpp"

namespace dsasrgs {
namespace {

constexpr std::size_t kKernels = 5;
const VolumeGrid kGrid{4, 4, 4, {1, 1, 1}, {-2, -2, -2}};

Model static_model(Context& ctx) {
  Config config;
  config.field.kind = AttenuationKind::constant;
  GaussianCloud cloud;
  cloud.bounds = {0.2f, 8};
  cloud.position_mm = Buffer<float>::from_host(ctx, test::random_values<float>(3 * kKernels, -2, 2, 1));
  cloud.raw_scale = Buffer<float>::from_host(ctx, test::random_values<float>(3 * kKernels, -2, 2, 2));
  cloud.rotation = Buffer<float>::from_host(ctx, test::random_values<float>(4 * kKernels, -1, 1, 3));
  cloud.attenuation = Buffer<float>::from_host(ctx, test::random_values<float>(kKernels, -1, 1, 4));
  return {std::move(cloud), AttenuationField(ctx, config.field, kGrid, 0), kGrid, {0, 5}, {8, 6, 1, 1}, false, {},
          to_toml(config)};
}

}  // namespace

TEST_CASE("checkpoint: density statistics are restored bit for bit, with and without pixel weights", "[checkpoint]") {
  Context ctx = test::make_context();
  const Model model = static_model(ctx);
  const test::TemporaryFolder folder;
  const auto path = folder / "checkpoint.h5";
  for (const bool weighted : {false, true}) {
    DensityStatistics written{
        Buffer<float>::from_host(ctx, test::random_values<float>(kKernels, 0, 1, 5)),
        Buffer<float>::from_host(ctx, test::random_values<float>(kKernels, 0, 1, 6)),
        Buffer<std::uint32_t>::from_host(ctx, {1, 2, 3, 4, 5}), 7,
        Buffer<float>::from_host(ctx, test::random_values<float>(weighted ? kKernels : 0, 0, 100, 8))};
    write_checkpoint(ctx, path, Config(), 7, model, OptimizerState::zeros(ctx, model), written, {});
    const Checkpoint read = read_checkpoint(ctx, path);
    CHECK(read.statistics.weighs_pixels() == weighted);
    CHECK(read.statistics.pixels.to_host(ctx) == written.pixels.to_host(ctx));
    CHECK(read.statistics.gradient_norm.to_host(ctx) == written.gradient_norm.to_host(ctx));
    CHECK(read.statistics.density.to_host(ctx) == written.density.to_host(ctx));
    CHECK(read.statistics.visible_steps.to_host(ctx) == written.visible_steps.to_host(ctx));
    CHECK(read.statistics.steps == 7);
  }
}

}  // namespace dsasrgs
