#include "train/checkpoint.hpp"

#include <catch2/catch.hpp>
#include <utility>
#include <vector>

#include "support/context.hpp"
#include "support/random_values.hpp"
#include "support/temporary_folder.hpp"

namespace dsasrgs {
namespace {

constexpr std::size_t kGaussians = 5;
const VolumeGrid kGrid{4, 4, 4, {1, 1, 1}, {-2, -2, -2}};

Model static_model(Context& ctx) {
  Config config;
  config.field.kind = AttenuationKind::constant;
  GaussianCloud cloud;
  cloud.bounds = {0.2f, 8};
  cloud.position_mm = Buffer<float>::from_host(ctx, test::random_values<float>(3 * kGaussians, -2, 2, 1));
  cloud.raw_scale = Buffer<float>::from_host(ctx, test::random_values<float>(3 * kGaussians, -2, 2, 2));
  cloud.rotation = Buffer<float>::from_host(ctx, test::random_values<float>(4 * kGaussians, -1, 1, 3));
  cloud.attenuation = Buffer<float>::from_host(ctx, test::random_values<float>(kGaussians, -1, 1, 4));
  return {std::move(cloud), AttenuationField(ctx, config.field, kGrid, 0), kGrid, {0, 5}, {8, 6, 1, 1}, false, {},
          to_toml(config)};
}

}  // namespace

TEST_CASE("checkpoint: statistics of density control and RSD are restored bit for bit, with and without pixel weights",
          "[checkpoint]") {
  Context ctx = test::make_context();
  const Model model = static_model(ctx);
  const test::TemporaryFolder folder;
  const auto path = folder / "checkpoint.h5";
  for (const bool weighted : {false, true}) {
    const auto random_statistics = [&](std::uint32_t seed, std::uint32_t steps) {
      const auto values = [&](std::size_t n, std::uint32_t which) {
        return Buffer<float>::from_host(ctx, test::random_values<float>(n, 0, 1, seed + which));
      };
      return DensityStatistics{values(kGaussians, 0), values(kGaussians, 1),
                               Buffer<std::uint32_t>::from_host(ctx, {seed, 2, 3, 4, 5}), steps,
                               values(weighted ? kGaussians : 0, 2)};
    };
    const auto check = [&](const DensityStatistics& read, const DensityStatistics& written) {
      CHECK(read.weighs_pixels() == weighted);
      CHECK(read.pixels.to_host(ctx) == written.pixels.to_host(ctx));
      CHECK(read.gradient_norm.to_host(ctx) == written.gradient_norm.to_host(ctx));
      CHECK(read.density.to_host(ctx) == written.density.to_host(ctx));
      CHECK(read.visible_steps.to_host(ctx) == written.visible_steps.to_host(ctx));
      CHECK(read.steps == written.steps);
    };
    const DensificationStatistics both{random_statistics(10, 7), random_statistics(20, 9)};
    Config config;
    config.residual_split.enabled = true;
    write_checkpoint(ctx, path, config, 7, model, OptimizerState::zeros(ctx, model), both, {});
    const Checkpoint read = read_checkpoint(ctx, path);
    check(read.statistics.control, both.control);
    check(read.statistics.split, both.split);

    const DensificationStatistics one{random_statistics(30, 3), {}};
    config.residual_split.enabled = false;
    write_checkpoint(ctx, path, config, 7, model, OptimizerState::zeros(ctx, model), one, {});
    const Checkpoint without = read_checkpoint(ctx, path);
    check(without.statistics.control, one.control);
    CHECK_FALSE(without.statistics.has_split());
  }
}

}  // namespace dsasrgs
