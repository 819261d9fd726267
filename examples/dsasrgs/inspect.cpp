// SPDX-License-Identifier: Apache-2.0
// dsasrgs inspect: what is in a file.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/mask_alignment.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/plausibility.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "dsasrgs/splits.hpp"
#include "dsasrgs/super_resolver.hpp"
#include "jobs/plausible_case.hpp"
#include "jobs/pose_report.hpp"
#include "jobs/run_memory.hpp"
#include "jobs/scores_json.hpp"
#include "subcommands.hpp"

namespace dsasrgs::program {

using Json = nlohmann::ordered_json;

namespace {

struct InspectOptions {
  std::string file, case_file;
  bool json = false, strict = false;
};

Json as_json(Vec3d v) { return {v.x, v.y, v.z}; }

Json as_json(const VolumeGrid& g) {
  return {{"size", {g.size_x, g.size_y, g.size_z}},
          {"spacing_mm", as_json(g.spacing_mm)},
          {"origin_mm", as_json(g.origin_mm)},
          {"extent_mm", as_json(g.extent_mm())}};
}

Json as_json(const Detector& d) {
  return {{"size_px", {d.width_px, d.height_px}}, {"pixel_pitch_mm", {d.pitch_u_mm, d.pitch_v_mm}}};
}

Json describe(const Acquisition& a) {
  const auto [low, high] = std::minmax_element(a.projections.begin(), a.projections.end());
  const Pose &first = a.poses.front(), &last = a.poses.back();
  Json json;
  json["format"] = "dsasrgs.acquisition";
  json["views"] = a.num_views();
  json["detector"] = as_json(a.detector);
  json["time_s"] = {a.first_time_s(), a.last_time_s()};
  json["line_integral_range"] = {*low, *high};
  json["source_to_isocenter_mm"] = {length(first.source_mm), length(last.source_mm)};
  json["first_source_mm"] = as_json(first.source_mm);
  json["last_source_mm"] = as_json(last.source_mm);
  json["volume"] = as_json(a.volume);
  if (!a.valid.empty()) {
    const auto valid =
        static_cast<double>(std::count_if(a.valid.begin(), a.valid.end(), [](auto p) { return p != 0; }));
    json["valid_fraction"] = valid / static_cast<double>(a.valid.size());
  }
  // As they are trained on and scored, whether the file names them or not.
  json["train_views"] = a.training_views();
  json["test_views"] = has_held_out_views(a) ? held_out_views(a).views : std::vector<int>{};
  json["split"] = a.train_views.empty() && a.test_views.empty()   ? "none in the file: every view is trained on"
                  : a.train_views.empty() || a.test_views.empty() ? "half in the file: the other views are the rest"
                                                                  : "in the file";
  if (a.reference_projections) json["reference_projections"] = {{"scale", a.reference_projections->scale}};
  if (a.reference_volume) {
    const ReferenceVolume& v = *a.reference_volume;
    json["reference_volume"] = {{"maximum_per_mm", *std::max_element(v.values.begin(), v.values.end())}};
    json["reference_volume"]["time_s"] = v.time_s ? Json(*v.time_s) : Json("mean over the sweep");
  }
  return json;
}

Json describe(const Model& m) {
  Json json;
  json["format"] = "dsasrgs.model";
  json["gaussians"] = m.cloud.size();
  json["gaussian_scale_mm"] = {m.cloud.bounds.min_mm, m.cloud.bounds.max_mm};
  json["attenuation"] = name_of(m.field.config().kind);
  json["density_scale_per_mm"] = m.field.density_scale_per_mm();
  json["time_s"] = {m.time.first_s, m.time.last_s};
  json["volume"] = as_json(m.volume);
  json["detector"] = as_json(m.detector);
  json["pixel_footprint"] = m.pixel_footprint;
  json["train_views"] = m.nuisance.view;
  if (!m.pose_correction.empty()) json["pose_correction"] = pose_correction_as_json(m);
  json["config_toml"] = m.config_toml;
  return json;
}

Json describe(const CheckpointFacts& c) {
  Json json;
  json["format"] = "dsasrgs.checkpoint";
  json["steps_done"] = c.steps_done;
  json["steps"] = c.config.training.steps;
  json["gaussians"] = c.gaussians;
  json["train_views"] = c.train_views;
  json["config_toml"] = to_toml(c.config);
  return json;
}

Json as_json(TrainedRange range) { return {range.low, range.high}; }

Json describe(const NetworkFacts& n) {
  Json json;
  json["format"] = "dsasrgs.network";
  json["name"] = n.name;
  json["fingerprint"] = n.fingerprint;
  json["scale"] = n.shape.scale;
  json["channels"] = n.shape.channels;
  json["blocks"] = n.shape.blocks;
  json["parameters"] = n.shape.num_parameters();
  json["reads_render"] = n.shape.reads_render;
  json["tells_its_error"] = n.shape.with_error;
  json["trained_on"] = n.trained_on;
  for (const auto& [name, range] : {std::pair{"noise", n.noise}, {"contrast", n.contrast}, {"sharpness", n.sharpness}})
    if (range.high > 0) json["trained_range"][name] = as_json(range);
  json["training_toml"] = n.training;
  return json;
}

/// Every image is read and checked.
Json describe(const PseudoLabels& labels) {
  labels.check_all();
  Json json;
  json["format"] = "dsasrgs.pseudo_labels";
  json["scale"] = labels.scale();
  json["network"] = labels.network();
  if (labels.intensity_range())
    json["intensity_range"] = {labels.intensity_range()->low, labels.intensity_range()->high};
  json["detector"] = as_json(labels.detector());
  json["views"] = labels.views();
  json["confidence"] = labels.has_confidence();
  json["false_vessel_mask"] = labels.has_false_vessel_mask();
  return json;
}

Json as_json(const std::vector<Finding>& findings) {
  Json json = Json::array();
  for (const Finding& f : findings) {
    Json& item = json.emplace_back(Json{
        {"kind", name_of(f.kind)}, {"field", f.field}, {"value", f.value}, {"limit", f.limit}, {"message", f.message}});
    if (f.view >= 0) item["view"] = f.view;
  }
  return json;
}

/// Of `reconstruct` with each preset, in MiB: on the CPU, and with a CUDA device on the host and on the device; with
/// the Gaussians it begins with and with the most it may make.
Json memory_of_presets(const Acquisition& a) {
  const auto mib = [](const RunMemory& memory, std::size_t MemoryAmount::*part) -> Json {
    return {(memory.first.*part >> 20) + 1, (memory.most.*part >> 20) + 1};
  };
  Json json;
  for (const std::string& preset : preset_names()) {
    const Config config = preset_config(preset, "preset");
    const RunMemory cpu = run_memory(a, config, Backend::cpu), cuda = run_memory(a, config, Backend::cuda);
    json[preset] = {{"cpu", mib(cpu, &MemoryAmount::host)},
                    {"cuda_host", mib(cuda, &MemoryAmount::host)},
                    {"cuda_device", mib(cuda, &MemoryAmount::device)}};
  }
  return json;
}

/// How masks were moved (align, import dicom --align-masks), where they were.
void describe_motions(const std::vector<MaskMotion>& motions, const Detector& detector, bool as_numbers, Json& json) {
  int moved = 0;
  double largest_px = 0;
  for (const MaskMotion& m : motions) {
    const double px = moved_px(m, detector);
    largest_px = std::max(largest_px, px);
    if (px > 0) ++moved;
  }
  if (motions.empty()) return;
  if (as_numbers)
    json["masks_moved"] = {{"views", moved}, {"largest_px", largest_px}};
  else
    json["masks_moved"] = "in " + std::to_string(moved) + " views, by up to " +
                          number_text(std::round(largest_px * 100) / 100) + " pixels";
}

/// Findings are warnings on stderr, and part of the JSON.
Json describe_case(const Acquisition& a, const InspectOptions& options) {
  const std::vector<Finding> findings = implausibilities(a);
  warn_or_refuse(a, findings, options.strict, false);
  Json json = describe(a);
  describe_motions(read_mask_motions(options.file), a.detector, options.json, json);
  if (!a.training_views().empty()) json["reconstruct_memory_mib"] = memory_of_presets(a);
  if (options.json) json["findings"] = as_json(findings);
  return json;
}

Json describe_file(const InspectOptions& options) {
  const std::string& file = options.file;
  const std::string format = read_format(file);
  if (!options.case_file.empty() && format != "dsasrgs.pseudo_labels")
    throw UsageError("--case: expected a label file to go with it, found " + file + " of the format " + format);
  if (options.strict && format != "dsasrgs.acquisition")
    throw UsageError("--strict: expected an acquisition file to go with it, found " + file + " of the format " +
                     format);
  if (format == "dsasrgs.acquisition") return describe_case(read_acquisition(file), options);
  if (format == "dsasrgs.checkpoint") return describe(read_checkpoint_facts(file));
  Context ctx = Context::cpu(1);
  if (format == "dsasrgs.model") return describe(read_model(ctx, file));
  if (format == "dsasrgs.network") {
    const SuperResolver network = SuperResolver::open(ctx, file);
    return describe(network.facts());
  }
  if (format != "dsasrgs.pseudo_labels")
    throw BadInput(file, "attribute format of /",
                   "\"dsasrgs.acquisition\", \"dsasrgs.model\", \"dsasrgs.checkpoint\", \"dsasrgs.pseudo_labels\" or "
                   "\"dsasrgs.network\"",
                   '"' + format + '"');
  if (options.case_file.empty())
    throw UsageError("--case: expected the acquisition that the labels of " + file + " are for, found none");
  return describe(PseudoLabels::open(file, read_acquisition(options.case_file)));
}

/// "key  value" lines; long lists are counted, texts of several lines follow below.
void print(const Json& json, const std::string& indent) {
  constexpr std::size_t kLongList = 8;
  for (const auto& [key, value] : json.items()) {
    std::string text;
    if (value.is_object()) {
      std::printf("%s%s\n", indent.c_str(), key.c_str());
      print(value, indent + "  ");
      continue;
    }
    if (value.is_array() && value.size() > kLongList)
      text = std::to_string(value.size()) + ": " + value.front().dump() + ", " + value[1].dump() + " ... " +
             value.back().dump();  // numbers
    else if (value.is_string())
      text = value.get<std::string>();
    else
      text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    text = terminal_text(text, true);
    const bool block = text.find('\n') != std::string::npos;
    std::printf("%s%-24s%s%s\n", indent.c_str(), key.c_str(), block ? "\n" : "", text.c_str());
  }
}

void run(const InspectOptions& options) {
  const Json json = describe_file(options);
  if (options.json)
    std::fputs(json_text(json).c_str(), stdout);
  else
    print(json, "");
}

}  // namespace

void add_inspect(CLI::App& app) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App* sub =
      app.add_subcommand("inspect", "show what an acquisition, model, checkpoint, label or network file holds");
  sub->add_option("file", options->file, "acquisition, model, checkpoint, label or network file (FILE.h5)")
      ->required()
      ->check(existing_file());
  sub->add_option("--case", options->case_file, "of a label file: the acquisition it is for; every label is checked")
      ->check(existing_file());
  sub->add_flag("--json", options->json, "as JSON");
  sub->add_flag("--strict", options->strict, kStrictDescription);
  sub->callback([options] { run(*options); });
}

}  // namespace dsasrgs::program
