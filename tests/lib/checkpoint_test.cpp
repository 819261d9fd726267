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

TrainingState static_state(Context& ctx, const Config& config) {
  GaussianCloud cloud;
  cloud.bounds = {0.2f, 8};
  cloud.position_mm = Buffer<float>::from_host(ctx, test::random_values<float>(3 * kGaussians, -2, 2, 1));
  cloud.raw_scale = Buffer<float>::from_host(ctx, test::random_values<float>(3 * kGaussians, -2, 2, 2));
  cloud.rotation = Buffer<float>::from_host(ctx, test::random_values<float>(4 * kGaussians, -1, 1, 3));
  cloud.attenuation = Buffer<float>::from_host(ctx, test::random_values<float>(kGaussians, -1, 1, 4));
  Model model{std::move(cloud), AttenuationField(ctx, config.field, kGrid, 0), kGrid, {0, 5}, {8, 6, 1, 1}, false, {},
              to_toml(config)};
  return TrainingState::initial(ctx, config, std::move(model));
}

}  // namespace

TEST_CASE("checkpoint: statistics of density control and RSD are restored bit for bit, with and without pixel weights",
          "[checkpoint]") {
  Context ctx = test::make_context();
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
    for (const bool with_split : {true, false}) {
      Config config = preset_config("static");
      config.residual_split.enabled = with_split;
      TrainingState written = static_state(ctx, config);
      written.step = 7;
      written.statistics.control = random_statistics(10, 7);
      if (with_split) written.statistics.split = random_statistics(20, 9);
      write_checkpoint(ctx, path, written);
      const TrainingState read = read_checkpoint(ctx, path);
      CHECK(read.step == 7);
      CHECK(to_toml(read.config) == to_toml(config));
      check(read.statistics.control, written.statistics.control);
      CHECK(read.statistics.has_split() == with_split);
      if (with_split) check(read.statistics.split, written.statistics.split);
    }
  }
}

TEST_CASE("checkpoint: every parameter array and its moments are restored bit for bit, for every attenuation model",
          "[checkpoint]") {
  Context ctx = test::make_context();
  const test::TemporaryFolder folder;
  for (const AttenuationKind kind :
       {AttenuationKind::constant, AttenuationKind::offset_table, AttenuationKind::neural}) {
    Config config;
    config.field.kind = kind;
    config.field.grid3d = config.field.grid4d = {2, 6, 2, 1.5};
    config.field.width = 8;
    TrainingState written = static_state(ctx, config);
    const auto coefficients = static_cast<std::size_t>(written.model.field.coefficients_per_gaussian());
    written.model.cloud.attenuation =
        Buffer<float>::from_host(ctx, test::random_values<float>(coefficients * kGaussians, -1, 1, 4));
    std::uint32_t seed = 100;
    std::size_t arrays = 0;
    for (const ParameterInfo& p : kParameters) {
      Buffer<float>& value = p.value(written.model.cloud, written.model.field);
      const std::size_t size = value.size();
      arrays += size > 0;
      const auto random = [&] {
        return Buffer<float>::from_host(ctx, test::random_values<float>(size, -1, 1, ++seed));
      };
      value = random();
      written.optimizer[p.id] = {random(), random()};
    }
    CHECK(arrays == (kind == AttenuationKind::neural ? 6 : 4));
    write_checkpoint(ctx, folder / "checkpoint.h5", written);
    const TrainingState read = read_checkpoint(ctx, folder / "checkpoint.h5");
    for (const ParameterInfo& p : kParameters) {
      CAPTURE(p.name, name_of(kind));
      CHECK(p.value(read.model.cloud, read.model.field).to_host(ctx) ==
            p.value(written.model.cloud, written.model.field).to_host(ctx));
      CHECK(read.optimizer[p.id].first.to_host(ctx) == written.optimizer[p.id].first.to_host(ctx));
      CHECK(read.optimizer[p.id].second.to_host(ctx) == written.optimizer[p.id].second.to_host(ctx));
    }
  }
}

}  // namespace dsasrgs
