// SPDX-License-Identifier: Apache-2.0
// The configuration of a network's training as TOML.
#include "config_walkers.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/network_trainer.hpp"

namespace dsasrgs {

namespace {

/// As visit_fields of config_fields.hpp.
template <class C, class V>
void visit_network_fields(C& c, V& v) {
  v.field("scale", c.shape.scale, Range{2, 8});
  v.field("channels", c.shape.channels, Range{1, 256});
  v.field("blocks", c.shape.blocks, Range{0, 64});
  v.field("with_error", c.shape.with_error);
  v.field("reads_render", c.shape.reads_render);
  v.field("steps", c.steps, kPositiveCount);
  v.field("batch", c.batch, Range{1, 4096});
  v.field("patch_px", c.patch_px, Range{8, 1024});
  v.field("learning_rate", c.learning_rate, Range{1e-8, 1});
  v.field("warm_up", c.warm_up, kCount);
  v.field("error_weight", c.error_weight, kFraction);
  v.field("vessel_brightness_low", c.vessel_brightness_low, Range{0.01, 100});
  v.field("vessel_brightness_high", c.vessel_brightness_high, Range{0.01, 100});
  v.field("image_brightness_low", c.image_brightness_low, Range{0.01, 100});
  v.field("image_brightness_high", c.image_brightness_high, Range{0.01, 100});
  v.field("blush_share", c.blush_share, kFraction);
  v.field("blush", c.blush, Range{0, 10});
  v.field("noise_low", c.noise_low, Range{1e-6, 1});
  v.field("noise_high", c.noise_high, Range{1e-6, 1});
  v.field("pitch_low_mm", c.pitch_low_mm, Range{0.01, 100});
  v.field("pitch_high_mm", c.pitch_high_mm, Range{0.01, 100});
  v.field("seed", c.seed, Range{0, 9e15});
}

}  // namespace

void validate(const NetworkTrainingConfig& config, std::string_view source) {
  FieldChecker checker(source);
  visit_network_fields(config, checker);
  const auto require_order = [&](const char* name, double low, double high) {
    if (low > high)
      throw BadInput(source, std::string(name) + "_low",
                     "at most " + std::string(name) + "_high, " + plain_number(high), plain_number(low));
  };
  require_order("vessel_brightness", config.vessel_brightness_low, config.vessel_brightness_high);
  require_order("image_brightness", config.image_brightness_low, config.image_brightness_high);
  require_order("noise", config.noise_low, config.noise_high);
  if (config.pitch_low_mm > config.pitch_high_mm)
    throw BadInput(source, "pitch_low_mm", "at most pitch_high_mm, " + plain_number(config.pitch_high_mm),
                   plain_number(config.pitch_low_mm));
}

std::string to_toml(const NetworkTrainingConfig& config) try {
  FieldWriter writer;
  visit_network_fields(config, writer);
  return writer.text();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

NetworkTrainingConfig network_training_from_toml(std::string_view text, std::string_view source) try {
  const toml::table table = parse_toml(text, std::string(source));
  NetworkTrainingConfig config;
  FieldReader reader(table, source);
  visit_network_fields(config, reader);
  reader.reject_unknown(table);
  validate(config, source);
  return config;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
