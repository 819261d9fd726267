// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "dsasrgs/error.hpp"
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
      const auto random = [&](float lowest) {
        return Buffer<float>::from_host(ctx, test::random_values<float>(size, lowest, 1, ++seed));
      };
      value = random(-1);
      written.optimizer[p.id] = {random(-1), random(0)};
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

TEST_CASE("checkpoint: what no run can have written is refused, with field and value", "[checkpoint]") {
  Context ctx = test::make_context();
  const test::TemporaryFolder folder;
  const auto path = folder / "checkpoint.h5";
  const Config config = preset_config("static");
  const auto refused = [&](const char* field, const auto& spoil) {
    TrainingState state = static_state(ctx, config);
    state.model.nuisance = {{0, 2}, {1, 1}, {0, 0}};
    state.nuisance_moments.resize(2);
    spoil(state);
    write_checkpoint(ctx, path, state);
    test::require_error<BadInput>([&] { (void)read_checkpoint(ctx, path); }, {field, "expected", "found"});
  };
  const auto spoilt = [&](std::size_t n, float value) {
    std::vector<float> values(n, 0.5F);
    values[n - 1] = value;
    return Buffer<float>::from_host(ctx, values);
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  refused("/optimizer/raw_scale/first_moment",
          [&](TrainingState& s) { s.optimizer[Parameter::raw_scale].first = spoilt(3 * kGaussians, nan); });
  refused("/optimizer/position/second_moment",
          [&](TrainingState& s) { s.optimizer[Parameter::position].second = spoilt(3 * kGaussians, -1e-9F); });
  refused("/statistics/gradient_norm",
          [&](TrainingState& s) { s.statistics.control.gradient_norm = spoilt(kGaussians, nan); });
  refused("/statistics/density", [&](TrainingState& s) { s.statistics.control.density = spoilt(kGaussians, -1); });
  refused("/nuisance/moments", [&](TrainingState& s) { s.nuisance_moments[1].gain_second = -1; });
  refused("/nuisance/moments", [&](TrainingState& s) { s.nuisance_moments[1].updates = -3; });
  refused("/@step", [&](TrainingState& s) { s.step = std::numeric_limits<int>::max(); });
  refused("/@step", [&](TrainingState& s) { s.step = -1; });
  // Learnt confidence belongs to one target.
  refused("/optimizer/confidence", [&](TrainingState& s) {
    s.optimizer.confidence = {spoilt(2, 1), spoilt(2, 1), spoilt(2, 1)};
  });
  refused("/optimizer/confidence",
          [&](TrainingState& s) { s.config.super_resolution.target = HighResolutionTarget::teach; });
  refused("/@run_config", [&](TrainingState& s) { s.config.field.kind = AttenuationKind::neural; });
}

TEST_CASE("checkpoint: a flipped bit is refused or changes nothing", "[checkpoint]") {
  Context ctx = test::make_context();
  const test::TemporaryFolder folder;
  const auto path = folder / "checkpoint.h5", damaged = folder / "damaged.h5", again = folder / "again.h5";
  TrainingState written = static_state(ctx, preset_config("static"));
  // Enough that arrays of every layout are there: in their headers and in chunks.
  written.statistics.control.visible_steps = Buffer<std::uint32_t>::zeros(ctx, kGaussians);
  std::vector<int>& views = written.model.nuisance.view;
  views.resize(6000);
  std::iota(views.begin(), views.end(), 0);
  written.model.nuisance.gain.assign(views.size(), 1);
  written.model.nuisance.offset.assign(views.size(), 0.25F);
  written.nuisance_moments.assign(views.size(), {0.1, 0.2, 0.3, 0.4, 5});
  write_checkpoint(ctx, path, written);
  const std::string whole = test::read_bytes(path);
  REQUIRE(whole.size() > 300'000);
  std::mt19937 random(1);
  int refused = 0, same = 0;
  for (int i = 0; i < 200; ++i) {
    std::string bytes = whole;
    // Half of the flips in what is not the large arrays.
    const std::size_t end = i % 2 == 0 ? bytes.size() : 20'000;
    const std::size_t at = random() % end;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
    test::write_bytes(damaged, bytes);
    CAPTURE(i, at);
    try {
      write_checkpoint(ctx, again, read_checkpoint(ctx, damaged));
    } catch (const BadInput&) {
      ++refused;
      continue;
    }
    ++same;
    const bool unchanged = test::read_bytes(again) == whole;
    CHECK(unchanged);  // the bit lay between the objects
  }
  CHECK(refused > 100);
  CHECK(refused + same == 200);
}

}  // namespace dsasrgs
