// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/config.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>

#include "common/plain_number.hpp"
#include "config_fields.hpp"
#include "config_names.hpp"
#include "config_walkers.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/no_such_file.hpp"
#include "field_shapes.hpp"

namespace dsasrgs {

namespace {

/// Every field by itself.
void require_ranges(const Config& config, std::string_view source) {
  FieldChecker checker(source);
  visit_fields(config, checker);
  const auto names = preset_names();
  if (std::find(names.begin(), names.end(), config.preset) == names.end())
    throw BadInput(source, "preset", "the name of a preset", config.preset);
}

void apply_table(Config& config, const toml::table& table, std::string_view source) {
  Config changed = config;
  FieldReader reader(table, source);
  visit_fields(changed, reader);
  reader.reject_unknown(table);
  require_ranges(changed, source);
  config = std::move(changed);
}

}  // namespace

std::string_view name_of(AttenuationKind kind) {
  for (const auto& n : kAttenuationNames)
    if (n.value == kind) return n.name;
  throw InvalidArgument("name_of: expected an attenuation model, found " + std::to_string(static_cast<int>(kind)));
}

std::vector<std::string> preset_names() { return {"4drgs", "static", "togs", "r2-gaussian", "dsa-srgs"}; }

Config preset_config(std::string_view name, std::string_view source) try {
  Config config;
  config.preset = name;
  if (name == "static") {
    config.field.kind = AttenuationKind::constant;
  } else if (name == "togs") {
    config.field.kind = AttenuationKind::offset_table;
    config.training.ssim_weight = ssim_weight_of_published(0.1);
    config.training.time_jitter = 0;
    config.training.table_variation_weight = 0.0043 * config.training.ssim_weight / 0.1;
    config.density_control.random_prune = 0.08;
  } else if (name == "r2-gaussian") {
    config.field.kind = AttenuationKind::constant;
    // L1 + 0.25·(1 − SSIM) + 0.05·TV, at the published brightness.
    config.training.ssim_weight = ssim_weight_of_published(0.2);
    config.training.tv_weight = 0.05 * kPublishedBrightness * config.training.ssim_weight / 0.25;
    config.gaussians.initial = 50000;
    config.density_control.every = 100;
    config.density_control.gradient_threshold = 5e-5;
    config.density_control.min_mean_density = 1e-5;  // its scenes are 2 wide
    config.density_control.halve_density = true;
  } else if (name == "dsa-srgs") {
    config.super_resolution.scale = 4;
    config.super_resolution.weight = 0.4;
    config.super_resolution.target = HighResolutionTarget::weighted;
    config.residual_split.enabled = true;
    config.residual_births.enabled = true;
  } else if (name != "4drgs") {
    std::string expected;
    for (const auto& n : preset_names()) expected += (expected.empty() ? "" : " or ") + n;
    throw BadInput(source, "name", expected, name);
  }
  return config;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

namespace {

void apply_toml(Config& config, std::string_view text, const std::string& source) {
  const toml::table table = parse_toml(text, source);
  // A file may name the preset it builds on; its other fields are then changes to that preset.
  Config base = config;
  if (const auto preset = table["preset"].value<std::string>(); preset && *preset != config.preset) {
    const auto names = preset_names();
    if (std::find(names.begin(), names.end(), *preset) != names.end()) base = preset_config(*preset);
  }
  apply_table(base, table, source);
  config = std::move(base);
}

}  // namespace

void apply_toml_file(Config& config, const std::filesystem::path& path) try {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) throw NoSuchFile(path.string() + ": expected a file, found a folder");
  std::ifstream file(path, std::ios::binary);
  if (!file && !std::filesystem::exists(path, error)) throw NoSuchFile(path.string() + ": expected a file, found none");
  if (!file) throw IoError(path.string() + ": cannot be opened for reading");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  apply_toml(config, text, path.string());
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

Config config_from_toml(std::string_view text, std::string_view source) try {
  Config config;
  apply_toml(config, text, std::string(source));
  validate(config, source);
  return config;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

void apply_setting(Config& config, std::string_view assignment, std::string_view source) try {
  if (assignment.find_first_of("\r\n") != std::string_view::npos)  // it could set more than it seems to
    throw BadInput(source, assignment, "one setting on one line", "more than one line");
  require_parsable_toml(assignment, source);  // so that the error does not hold all of it
  const auto equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0)
    throw BadInput(source, std::string(assignment), "section.name=value", assignment);
  const std::string key(assignment.substr(0, equals)), value(assignment.substr(equals + 1));
  if (key == "preset")  // it would rename the method and change nothing
    throw BadInput(source, key, "a field of the preset, not the preset itself", value);
  // Bare words are strings: field.kind=static needs no quotes.
  const bool bare_word = !value.empty() &&
                         (std::isalpha(static_cast<unsigned char>(value[0])) != 0 || value == "4drgs") &&
                         value != "true" && value != "false" && value != "nan" && value != "inf";
  const std::string text = key + " = " + (bare_word ? '"' + value + '"' : value);
  apply_table(config, parse_toml(text, std::string(source) + " " + std::string(assignment)), source);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

std::string to_toml(const Config& config) try {
  FieldWriter writer;
  visit_fields(config, writer);
  return writer.text();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

void validate(const Config& config, std::string_view source) {
  require_ranges(config, source);
  if (!(config.gaussians.max_scale_voxels > config.gaussians.min_scale_voxels))
    throw BadInput(source, "gaussians.max_scale_voxels", "more than gaussians.min_scale_voxels",
                   plain_number(config.gaussians.max_scale_voxels));
  const LearningRateConfig& rate = config.learning_rate;
  const Decay& attenuation = config.field.kind == AttenuationKind::neural ? rate.field : rate.attenuation;
  if (const auto is_zero = [](const Decay& d) { return d.first == 0 && d.last == 0; };
      is_zero(rate.position) && is_zero(rate.scale) && is_zero(rate.rotation) && is_zero(attenuation))
    throw BadInput(source, "learning_rate", "a rate above 0 for position, scale, rotation or the attenuation",
                   "0 for all of them");
  const SuperResolutionConfig& sr = config.super_resolution;
  if (sr.scale > 1 && sr.weight >= 1 && sr.target != HighResolutionTarget::none &&
      (config.nuisance.view_gain || config.nuisance.view_offset))
    throw BadInput(source, "super_resolution.weight", "less than 1 with nuisance parameters, which L_gt fits",
                   plain_number(sr.weight));
  const std::string kind(name_of(config.field.kind));
  if (config.training.table_variation_weight > 0 && config.field.kind != AttenuationKind::offset_table)
    throw BadInput(source, "training.table_variation_weight", "0, or field.kind = offset-table",
                   plain_number(config.training.table_variation_weight) + " with field.kind = " + kind);
  if (config.field.kind == AttenuationKind::neural && config.field.precision == FieldPrecision::bf16 &&
      !mlp_fits_bf16(network_shape(config.field)))
    throw BadInput(source, "field.precision", "fp32, or a network that fits a multiprocessor's shared memory",
                   "bf16 with " + std::to_string(config.field.hidden_layers) + " hidden layers of " +
                       std::to_string(config.field.width));
  if (config.density_control.halve_density && config.field.kind != AttenuationKind::constant)
    throw BadInput(source, "density_control.halve_density", "false, or field.kind = static",
                   "true with field.kind = " + kind);
}

double decayed(const Decay& d, double fraction) {
  const double f = std::clamp(fraction, 0.0, 1.0);
  if (d.first <= 0 || d.last <= 0) return d.first + f * (d.last - d.first);
  return std::exp((1 - f) * std::log(d.first) + f * std::log(d.last));
}

}  // namespace dsasrgs
