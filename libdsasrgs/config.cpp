#include "dsasrgs/config.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <locale>
#include <set>
#include <sstream>

#include "config_fields.hpp"
#include "config_names.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "field_shapes.hpp"
#include "number_text.hpp"

namespace dsasrgs {

namespace {

/// Keeps the dotted name of the section being walked.
class SectionWalker {
 protected:
  std::string full(const char* name) const { return prefix_ + name; }
  template <class Body>
  void inside(const char* name, Body&& body) {
    const std::string outer = prefix_;
    prefix_ += std::string(name) + ".";
    body();
    prefix_ = outer;
  }

 private:
  std::string prefix_;
};

class Checker : public SectionWalker {
 public:
  explicit Checker(std::string_view source) : source_(source) {}
  template <class Body>
  void section(const char* name, Body&& body) {
    inside(name, body);
  }
  template <class T>
  void field(const char* name, const T& value, Range range) {
    const auto v = static_cast<double>(value);
    if (!(v >= range.low && v <= range.high))
      throw BadInput(source_, full(name), "a number from " + number_text(range.low) + " to " + number_text(range.high),
                     number_text(v));
  }
  void field(const char* name, const Decay& d) {
    for (const double v : {d.first, d.last})
      if (!(v >= 0 && std::isfinite(v)))
        throw BadInput(source_, full(name), "two finite numbers of 0 or more", number_text(v));
  }
  template <class E>
  requires std::is_enum_v<E>
  void field(const char* name, const E& value) {
    if (!has_name(value))
      throw BadInput(source_, full(name), name_list(value), "the number " + std::to_string(static_cast<int>(value)));
  }
  template <class T>
  void field(const char*, const T&) {}

 private:
  std::string source_;
};

class Writer : public SectionWalker {
 public:
  template <class Body>
  void section(const char* name, Body&& body) {
    inside(name, [&] {
      const std::string full_name = full("");
      out_ << "\n[" << full_name.substr(0, full_name.size() - 1) << "]\n";
      body();
    });
  }
  template <class T>
  void field(const char* name, const T& value, Range) {
    field(name, value);
  }
  void field(const char* name, int v) { out_ << name << " = " << v << '\n'; }
  void field(const char* name, std::int64_t v) { out_ << name << " = " << v << '\n'; }
  void field(const char* name, double v) { out_ << name << " = " << number_text(v) << '\n'; }
  void field(const char* name, bool v) { out_ << name << " = " << (v ? "true" : "false") << '\n'; }
  void field(const char* name, const std::string& v) { out_ << name << " = " << toml::value<std::string>(v) << '\n'; }
  void field(const char* name, const Decay& d) {
    out_ << name << " = [" << number_text(d.first) << ", " << number_text(d.last) << "]\n";
  }
  template <class E>
  requires std::is_enum_v<E>
  void field(const char* name, E v) {
    if (!has_name(v))
      throw InvalidArgument("to_toml: " + full(name) + ": expected " + name_list(v) + ", found the number " +
                            std::to_string(static_cast<int>(v)));
    for (const auto& n : names_of(v))
      if (n.value == v) out_ << name << " = \"" << n.name << "\"\n";
  }
  std::string text() const { return out_.str(); }

 private:
  /// An application's locale must not group digits in a file.
  static std::ostringstream classic_stream() {
    std::ostringstream stream;
    stream.imbue(std::locale::classic());
    return stream;
  }
  std::ostringstream out_ = classic_stream();
};

std::string describe(const toml::node& node) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  node.visit([&](const auto& n) { text << n; });
  return text.str();
}

/// Reads the fields present in a TOML table; what it has not met at the end is unknown.
class Reader : public SectionWalker {
 public:
  Reader(const toml::table& root, std::string_view source) : source_(source) { tables_.push_back(&root); }

  template <class Body>
  void section(const char* name, Body&& body) {
    known_.insert(full(name));
    const toml::table* table = nullptr;
    if (tables_.back() != nullptr) {
      if (const toml::node* node = tables_.back()->get(name)) {
        table = node->as_table();
        if (table == nullptr) throw BadInput(source_, full(name), "a table", describe(*node));
      }
    }
    tables_.push_back(table);
    inside(name, body);
    tables_.pop_back();
  }
  template <class T>
  void field(const char* name, T& value, Range) {
    field(name, value);
  }
  template <class T>
  void field(const char* name, T& value) {
    known_.insert(full(name));
    if (tables_.back() == nullptr) return;
    if (const toml::node* node = tables_.back()->get(name)) read(name, *node, value);
  }
  /// Throws for names in the file that no field has.
  void reject_unknown(const toml::table& table, const std::string& prefix = "") const {
    for (const auto& [key, node] : table) {
      const std::string name = prefix + std::string(key.str());
      if (!known_.contains(name)) throw BadInput(source_, name, "one of " + known_in(prefix), "an unknown name");
      if (const toml::table* inner = node.as_table()) reject_unknown(*inner, name + ".");
    }
  }

 private:
  /// Fields and sections directly under a prefix such as "field.grid3d.".
  std::string known_in(const std::string& prefix) const {
    std::string list;
    for (const std::string& name : known_)
      if (name.starts_with(prefix) && name.find('.', prefix.size()) == std::string::npos)
        list += (list.empty() ? "" : ", ") + name.substr(prefix.size());
    return list;
  }
  void read(const char* name, const toml::node& node, int& value) {
    std::int64_t wide = 0;
    read(name, node, wide);
    if (wide != static_cast<int>(wide))
      throw BadInput(source_, full(name), "an integer within 32 bits", describe(node));
    value = static_cast<int>(wide);
  }
  void read(const char* name, const toml::node& node, std::int64_t& value) {
    if (!node.is_integer()) throw BadInput(source_, full(name), "an integer", describe(node));
    value = *node.value<std::int64_t>();
  }
  void read(const char* name, const toml::node& node, double& value) {
    if (!node.is_number()) throw BadInput(source_, full(name), "a number", describe(node));
    value = *node.value<double>();
  }
  void read(const char* name, const toml::node& node, bool& value) {
    if (!node.is_boolean()) throw BadInput(source_, full(name), "true or false", describe(node));
    value = *node.value<bool>();
  }
  void read(const char* name, const toml::node& node, std::string& value) {
    if (!node.is_string()) throw BadInput(source_, full(name), "a string", describe(node));
    value = *node.value<std::string>();
  }
  void read(const char* name, const toml::node& node, Decay& value) {
    const toml::array* pair = node.as_array();
    if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_number() || !(*pair)[1].is_number())
      throw BadInput(source_, full(name), "[first, last], two numbers", describe(node));
    value = {*(*pair)[0].value<double>(), *(*pair)[1].value<double>()};
  }
  template <class E>
  requires std::is_enum_v<E>
  void read(const char* name, const toml::node& node, E& value) {
    const auto text = node.value_exact<std::string>();
    for (const auto& n : names_of(value))
      if (text && *text == n.name) {
        value = n.value;
        return;
      }
    throw BadInput(source_, full(name), name_list(value), describe(node));
  }

  std::string source_;
  std::vector<const toml::table*> tables_;
  std::set<std::string> known_;
};

/// Every field by itself.
void require_ranges(const Config& config, std::string_view source) {
  Checker checker(source);
  visit_fields(config, checker);
  const auto names = preset_names();
  if (std::find(names.begin(), names.end(), config.preset) == names.end())
    throw BadInput(source, "preset", "the name of a preset", config.preset);
}

void apply_table(Config& config, const toml::table& table, std::string_view source) {
  Config changed = config;
  Reader reader(table, source);
  visit_fields(changed, reader);
  reader.reject_unknown(table);
  require_ranges(changed, source);
  config = std::move(changed);
}

toml::table parse(std::string_view text, const std::string& source) {
  require_shallow_toml(text, source);
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& e) {
    throw BadInput(source, "line " + std::to_string(e.source().begin.line), "TOML", std::string(e.description()));
  }
}

}  // namespace

std::string_view name_of(AttenuationKind kind) {
  for (const auto& n : kAttenuationNames)
    if (n.value == kind) return n.name;
  throw InvalidArgument("name_of: expected an attenuation model, found " + std::to_string(static_cast<int>(kind)));
}

std::vector<std::string> preset_names() { return {"4drgs", "static", "togs", "r2-gaussian", "dsa-srgs"}; }

Config preset_config(std::string_view name, std::string_view source) {
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
    config.super_resolution.target = HighResolutionTarget::teach;
    config.residual_split.enabled = true;
    config.residual_births.enabled = true;
  } else if (name != "4drgs") {
    std::string expected;
    for (const auto& n : preset_names()) expected += (expected.empty() ? "" : " or ") + n;
    throw BadInput(source, "name", expected, name);
  }
  return config;
}

namespace {

void apply_toml(Config& config, std::string_view text, const std::string& source) {
  const toml::table table = parse(text, source);
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

void apply_toml_file(Config& config, const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) throw IoError(path.string() + ": expected a file, found a folder");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw IoError(path.string() + ": cannot be opened for reading");
  std::ostringstream text;
  text << file.rdbuf();
  apply_toml(config, text.str(), path.string());
}

Config config_from_toml(std::string_view text, std::string_view source) {
  Config config;
  apply_toml(config, text, std::string(source));
  validate(config, source);
  return config;
}

void apply_setting(Config& config, std::string_view assignment, std::string_view source) {
  if (assignment.find_first_of("\r\n") != std::string_view::npos)  // it could set more than it seems to
    throw BadInput(source, assignment, "one setting on one line", "more than one line");
  require_shallow_toml(assignment, source);  // so that the error does not hold all of it
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
  apply_table(config, parse(text, std::string(source) + " " + std::string(assignment)), source);
}

std::string to_toml(const Config& config) {
  Writer writer;
  visit_fields(config, writer);
  return writer.text();
}

void validate(const Config& config, std::string_view source) {
  require_ranges(config, source);
  if (!(config.gaussians.max_scale_voxels > config.gaussians.min_scale_voxels))
    throw BadInput(source, "gaussians.max_scale_voxels", "more than gaussians.min_scale_voxels",
                   number_text(config.gaussians.max_scale_voxels));
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
                   number_text(sr.weight));
  const std::string kind(name_of(config.field.kind));
  if (config.training.table_variation_weight > 0 && config.field.kind != AttenuationKind::offset_table)
    throw BadInput(source, "training.table_variation_weight", "0, or field.kind = offset-table",
                   number_text(config.training.table_variation_weight) + " with field.kind = " + kind);
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
