// SPDX-License-Identifier: Apache-2.0
#include "jobs/run_report.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/machine_options.hpp"
#include "cli/progress.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/renderer.hpp"
#include "dsasrgs/version.hpp"
#include "dsasrgs/volume_files.hpp"
#include "jobs/pictures.hpp"
#include "jobs/pose_report.hpp"
#include "jobs/scores_json.hpp"

namespace dsasrgs::program {

using Json = nlohmann::ordered_json;

namespace {

constexpr std::size_t kPictures = 6;

Json spread_of(const std::vector<float>& values) {
  double sum = 0;
  for (const float v : values) sum += static_cast<double>(v);
  return {{"smallest", *std::min_element(values.begin(), values.end())},
          {"mean", sum / static_cast<double>(values.size())},
          {"largest", *std::max_element(values.begin(), values.end())}};
}

Json nuisance_as_json(const NuisanceConfig& config, const ViewNuisance& nuisance) {
  Json json;
  json["view_gain"] = config.view_gain;
  json["view_offset"] = config.view_offset;
  if (nuisance.view.empty() || (!config.view_gain && !config.view_offset)) return json;
  json["gain"] = spread_of(nuisance.gain);
  json["offset"] = spread_of(nuisance.offset);
  json["per_view"] = {{"view", nuisance.view}, {"gain", nuisance.gain}, {"offset", nuisance.offset}};
  return json;
}

Json run_as_json(const Context& ctx, const Reconstructor& reconstructor, const RunFacts& facts) {
  const Config& config = reconstructor.config();
  const int steps = reconstructor.steps_done();
  const int timed_steps = std::max(1, steps - facts.resumed_from_step);
  Json json;
  json["preset"] = config.preset;
  if (!facts.command.empty()) json["command"] = facts.command;
  json["seed"] = config.training.seed;
  json["backend"] = backend_name(ctx);
  json["threads"] = ctx.threads();
  json["steps"] = steps;
  json["resumed_from_step"] = facts.resumed_from_step;
  json["gaussians"] = reconstructor.model().cloud.size();
  const TrainingUnits units = reconstructor.units();
  json["units"] = {{"length_mm", units.length_mm}, {"line_integral", units.line_integral}};
  json["seconds"] = {{"initialization", facts.initialize_seconds}, {"training", facts.training_seconds}};
  if (facts.memory) json["memory"] = {{"expected", as_json(*facts.memory)}, {"peak_host_bytes", peak_host_bytes()}};
  json["milliseconds_per_step"] = Json::object();
  double total = 0;
  for (const auto& [stage, seconds] : reconstructor.stage_seconds()) {
    json["milliseconds_per_step"][stage] = 1000 * seconds / timed_steps;
    total += seconds;
  }
  json["milliseconds_per_step"]["sum of stages"] = 1000 * total / timed_steps;
  json["train_views"] = reconstructor.model().nuisance.view;
  json["nuisance"] = nuisance_as_json(config.nuisance, reconstructor.model().nuisance);
  if (config.geometry.refine) json["pose_correction"] = pose_correction_as_json(reconstructor.model());
  return json;
}

/// A handful of the scored views and the worst of them, on the finest detector there is truth for.
void write_view_pictures(const Acquisition& a, const Model& model, Renderer& renderer, const RunFolder& folder,
                         const Evaluation& evaluation) {
  const bool fine = a.reference_projections.has_value();
  const ProjectionTruth truth = fine ? ProjectionTruth::reference(a) : ProjectionTruth::measured(a);
  const ViewScores& scores = fine ? *evaluation.reference : evaluation.measured;
  std::vector<int> views = spread_views(evaluation.views.views, kPictures);
  if (const int worst = scores.worst().view; std::find(views.begin(), views.end(), worst) == views.end())
    views.push_back(worst);
  const float window = picture_window(truth);
  folder.make_view_folder();
  const std::vector<Pose> poses = poses_as_corrected(model, a);
  for (const int v : views) {
    const std::vector<float> rendered = renderer.render(poses[static_cast<std::size_t>(v)], truth.detector()).values;
    write_comparison(folder.view(v), rendered, truth.image(v), truth.detector(), window);
  }
}

}  // namespace

void require_reportable(const Acquisition& a) {
  for (const int side : {a.volume.size_x, a.volume.size_y, a.volume.size_z})
    if (side > kMostNiftiSide)
      throw BadInput(a.name, "/volume@size",
                     "at most " + std::to_string(kMostNiftiSide) + " voxels a side, for volume.nii.gz",
                     std::to_string(side));
}

Evaluation write_run(Context& ctx, const Acquisition& a, const Reconstructor& reconstructor, const RunFolder& folder,
                     const RunFacts& facts, const ScoringOptions& scoring) {
  const auto start = std::chrono::steady_clock::now();
  const Model& model = reconstructor.model();
  write_model(ctx, folder.model(), model);

  Renderer renderer(ctx, model);
  const auto mean_volume = std::make_shared<const Volume>(renderer.voxelize_mean(a.volume, a.num_views()));
  EvaluationOptions options = scoring.evaluation;
  options.mean_volume = {mean_volume, &mean_volume->values};
  Evaluation evaluation = evaluate(ctx, model, a, held_out_views(a), options, shown_progress(scoring.quiet));
  write_view_pictures(a, model, renderer, folder, evaluation);
  write_maximum_projections(folder.projection(), mean_volume->values, a.volume);
  VolumeTimes times{1, model.time.first_s, {}};
  if (model.time.last_s > model.time.first_s) times.mean_until_s = model.time.last_s;
  write_volume(folder.volume(), *mean_volume, times);

  Json json;
  json["format"] = "dsasrgs.metrics";
  json["program"] = "dsasrgs " DSASRGS_VERSION_STRING;
  json["case"] = facts.case_file;
  json["run"] = run_as_json(ctx, reconstructor, facts);
  json["run"]["seconds"]["evaluation"] =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  json.update(as_json(evaluation));
  write_text(folder.metrics(), json_text(json));
  return evaluation;
}

}  // namespace dsasrgs::program
