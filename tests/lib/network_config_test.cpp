// SPDX-License-Identifier: Apache-2.0
// The configuration of a network's training, as TOML and out of range.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/network_trainer.hpp"
#include "support/context.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;

TEST_CASE("network training: TOML and back", "[network_trainer]") {
  NetworkTrainingConfig config;
  config.shape = {3, 7, 0, false, true};
  config.steps = 17;
  config.batch = 5;
  config.patch_px = 20;
  config.learning_rate = 0.1 + 0.2;  // 17 digits
  config.warm_up = 0;
  config.error_weight = 0.25;
  config.vessel_brightness_low = 0.5;
  config.vessel_brightness_high = 0.75;
  config.image_brightness_low = 0.8;
  config.image_brightness_high = 1.1;
  config.blush_share = 0.125;
  config.blush = 0.3;
  config.noise_low = 1.0 / 3;
  config.noise_high = 0.5;
  config.pitch_low_mm = 0.3;
  config.pitch_high_mm = 0.31;
  config.seed = 9'000'000'000'000'000;
  const std::string text = to_toml(config);
  CHECK(network_training_from_toml(text, "here") == config);
  CHECK(std::count(text.begin(), text.end(), '\n') == 22);
  CHECK(network_training_from_toml("", "here") == NetworkTrainingConfig{});
  CHECK(network_training_from_toml("scale = 2\nblush = 1\n", "here") == [] {
    NetworkTrainingConfig c;
    c.shape.scale = 2;
    c.blush = 1;
    return c;
  }());
  for (const auto& [bad, message] : std::vector<std::pair<std::string, std::string>>{
           {"lerning_rate = 1", "plan.toml: lerning_rate: expected one of batch, "},
           {"steps = 1.5", "plan.toml: steps: expected an integer, found 1.5"},
           {"steps = 3000000000", "plan.toml: steps: expected an integer within 32 bits"},
           {"with_error = 1", "plan.toml: with_error: expected true or false, found 1"},
           {"blush = \"much\"", "plan.toml: blush: expected a number"},
           {"scale = 2\nscale = 3", "plan.toml: line 2: expected TOML"},
           {"noise_low = 0.1\nnoise_high = 0.01",
            "plan.toml: noise_low: expected at most noise_high, 0.01, found 0.1"}})
    require_error<BadInput>([bad = bad] { network_training_from_toml(bad, "plan.toml"); }, {message});
}

TEST_CASE("network training: every field out of range is refused by name", "[network_trainer]") {
  Context ctx = test::make_context();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [name, change] : std::vector<std::pair<std::string, std::function<void(NetworkTrainingConfig&)>>>{
           {"scale", [](auto& c) { c.shape.scale = 1; }},
           {"scale", [](auto& c) { c.shape.scale = 9; }},
           {"channels", [](auto& c) { c.shape.channels = 0; }},
           {"channels", [](auto& c) { c.shape.channels = 257; }},
           {"blocks", [](auto& c) { c.shape.blocks = -1; }},
           {"blocks", [](auto& c) { c.shape.blocks = 65; }},
           {"steps", [](auto& c) { c.steps = 0; }},
           {"batch", [](auto& c) { c.batch = 0; }},
           {"patch_px", [](auto& c) { c.patch_px = 7; }},
           {"learning_rate", [](auto& c) { c.learning_rate = 0; }},
           {"learning_rate", [](auto& c) { c.learning_rate = 1.5; }},
           {"learning_rate", [&](auto& c) { c.learning_rate = nan; }},
           {"warm_up", [](auto& c) { c.warm_up = -1; }},
           {"error_weight", [](auto& c) { c.error_weight = 1.5; }},
           {"vessel_brightness_low", [](auto& c) { c.vessel_brightness_low = 0; }},
           {"vessel_brightness_low", [](auto& c) { c.vessel_brightness_low = 2; }},
           {"vessel_brightness_high", [](auto& c) { c.vessel_brightness_high = 101; }},
           {"image_brightness_low", [](auto& c) { c.image_brightness_low = 1.7; }},
           {"image_brightness_high", [&](auto& c) { c.image_brightness_high = nan; }},
           {"blush_share", [](auto& c) { c.blush_share = 1.1; }},
           {"blush", [](auto& c) { c.blush = -0.1; }},
           {"noise_low", [](auto& c) { c.noise_low = 0; }},
           {"noise_high", [](auto& c) { c.noise_high = 2; }},
           {"pitch_low_mm", [](auto& c) { c.pitch_low_mm = 4; }},
           {"pitch_high_mm", [](auto& c) { c.pitch_high_mm = 0; }},
           {"seed", [](auto& c) { c.seed = -1; }}}) {
    NetworkTrainingConfig config;
    change(config);
    require_error<BadInput>([&] { validate(config, "here"); }, {"here: " + name + ": expected "});
    require_error<BadInput>([&] { NetworkTrainer(ctx, config, {}); }, {": " + name + ": expected "});
  }
  validate(NetworkTrainingConfig{}, "here");
}
