// SPDX-License-Identifier: Apache-2.0
// dsasrgs evaluate: how well a model predicts the views it was not trained on, or how good labels are.

#include <algorithm>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/interruption.hpp"
#include "cli/machine_options.hpp"
#include "cli/output_path.hpp"
#include "cli/progress.hpp"
#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"
#include "cli/view_list.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/evaluation.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "dsasrgs/version.hpp"
#include "jobs/evaluation_summary.hpp"
#include "jobs/scores_json.hpp"
#include "subcommands.hpp"

namespace dsasrgs::program {

namespace {

constexpr const char* kScoresFormat = "dsasrgs.metrics";

struct EvaluateOptions {
  std::string model, case_file, json_file, views;
  EvaluationOptions evaluation;
  MachineOptions machine;
};

nlohmann::ordered_json begin_json(const EvaluateOptions& options) {
  nlohmann::ordered_json json;
  json["format"] = kScoresFormat;
  json["program"] = "dsasrgs " DSASRGS_VERSION_STRING;
  json["model"] = options.model;
  json["case"] = options.case_file;
  return json;
}

/// Whether there is no such file yet, or an empty one, or what begin_json() began: a run's metrics.json has `run`, too.
bool is_new_or_scores(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || file.peek() == std::ifstream::traits_type::eof()) return true;
  const auto json = nlohmann::json::parse(file, nullptr, false);
  return json.is_object() && json.value("format", nlohmann::json()) == kScoresFormat && !json.contains("run");
}

/// As training uses labels: line integrals are not below 0.
std::vector<float> clipped(std::vector<float> image) {
  for (float& value : image) value = std::max(value, 0.0f);
  return image;
}

/// Pseudo-labels against the reference projections, beside bicubic interpolation.
void run_labels(const EvaluateOptions& options) {
  if (options.evaluation.baselines || options.evaluation.surface_threshold_per_mm)
    throw UsageError(std::string(options.evaluation.baselines ? "--baselines" : "--surface-threshold-per-mm") +
                     ": expected a model file, found labels: " + options.model);
  const Acquisition a = read_acquisition(options.case_file);
  const PseudoLabels labels = PseudoLabels::open(options.model, a);
  if (!a.reference_projections || a.reference_projections->scale != labels.scale())
    throw BadInput(options.case_file, "/reference/projections",
                   "the truth " + std::to_string(labels.scale()) + " times finer, as the labels are",
                   a.reference_projections ? std::to_string(a.reference_projections->scale) + " times" : "none");
  std::vector<int> views = labels.views();
  if (!options.views.empty()) views = select_views(a, options.views).views;
  const ProjectionTruth truth = ProjectionTruth::reference(a);
  const ProgressCallback progress = shown_progress(options.machine.quiet);
  const ViewScores scores = score_views(
      truth, views, [&](int view) { return clipped(labels.read(view)); }, progress);
  const ViewScores bicubic = score_views(
      truth, views, [&](int view) { return clipped(bicubic_label(a, view, labels.scale()).values); }, progress);
  if (!options.json_file.empty()) {
    nlohmann::ordered_json json = begin_json(options);
    json["network"] = labels.network();
    json["labels"] = as_json(scores);
    json["bicubic"] = as_json(bicubic);
    write_text(options.json_file, json_text(json));
  }
  print_line(options.machine.quiet, label_summary(scores, bicubic));
}

void run(const EvaluateOptions& options) {
  const Interruption interruption;
  if (!options.json_file.empty()) {
    require_writable_file("--json", options.json_file, {options.model, options.case_file});
    if (!is_new_or_scores(options.json_file))
      throw UsageError("--json: expected a new file or one that evaluate wrote, found another: " + options.json_file);
  }
  if (read_format(options.model) == "dsasrgs.pseudo_labels") return run_labels(options);
  Context ctx = make_context(options.machine);
  show_log(ctx, options.machine);
  Acquisition acquisition = read_acquisition(options.case_file);
  const Model model = read_model(ctx, options.model);
  use_split_or_warn(acquisition, model);
  const ViewSet set = options.views.empty() ? held_out_views(acquisition) : select_views(acquisition, options.views);
  require_scorable(acquisition, set, options.evaluation.baselines);
  if (options.views.empty() && !has_held_out_views(acquisition))
    print_line(options.machine.quiet, "no view was held out: evaluating on the training views");

  nlohmann::ordered_json json = begin_json(options);
  json["gaussians"] = model.cloud.size();
  const Evaluation evaluation =
      evaluate(ctx, model, acquisition, set, options.evaluation, shown_progress(options.machine.quiet));
  json.update(as_json(evaluation));
  if (!options.json_file.empty()) write_text(options.json_file, json_text(json));
  print_line(options.machine.quiet, evaluation_summary(evaluation));
}

}  // namespace

void add_evaluate(CLI::App& app) {
  auto options = std::make_shared<EvaluateOptions>();
  CLI::App* sub = app.add_subcommand(
      "evaluate", "score a model against the views it was not trained on, or labels against the truth");
  sub->add_option("model", options->model, "model file (MODEL.h5), or label file")->required()->check(existing_file());
  sub->add_option("--case", options->case_file, "acquisition file it was made from (CASE.h5)")
      ->required()
      ->check(existing_file());
  sub->add_option("--json", options->json_file, "file for all numbers")->check(not_empty());
  sub->add_option("--views", options->views,
                  "train, test, all or a list such as 0,5,10-20; default: those not trained on")
      ->check(not_empty());
  sub->add_flag("--baselines", options->evaluation.baselines, "also score interpolated training views and FDK");
  sub->add_option("--surface-threshold-per-mm", options->evaluation.surface_threshold_per_mm,
                  "attenuation above which a voxel is vessel; default: a fifth of the reference's maximum")
      ->check(positive_finite());
  add_machine_options(*sub, options->machine);
  sub->callback([options] { run(*options); });
}

}  // namespace dsasrgs::program
