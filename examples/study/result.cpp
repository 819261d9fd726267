// SPDX-License-Identifier: Apache-2.0
#include "study/result.hpp"

#include <algorithm>
#include <exception>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "cli/json_reading.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/version.hpp"
#include "jobs/scores_json.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

using program::as_json;  // of scores and machine, beside those below

constexpr const char* kFormat = "dsasrgs.study_result";
constexpr const char* kExpected = "a result of a study (without the file the run is made anew)";

// ---- writing

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

template <class T>
Json as_json_or_null(const std::optional<T>& value) {
  return value ? as_json(*value) : Json(nullptr);
}

Json as_json(const RunIdentity& identity) {
  const auto& [training, scoring] = identity;
  return {{"training",
           {{"case", training.case_fingerprint},
            {"train_views", training.train_views},
            {"config", text_or_null(training.config)},
            {"labels", text_or_null(training.labels_fingerprint)}}},
          {"scoring",
           {{"test_views", scoring.test_views},
            {"renders", scoring.renders},
            {"kind", scoring.kind},
            {"false_vessel", scoring.oracles}}}};
}

Json as_json(const RenderScores& scores) {
  Json json;
  json["high_resolution"] = as_json(scores.high_resolution);
  json["consistency"] = {{"train", as_json_or_null(scores.consistency_train)},
                         {"test", as_json_or_null(scores.consistency_test)}};
  json["false_vessel"] = Json::object();
  for (const auto& [source, kept] : scores.false_vessel) json["false_vessel"][source] = as_json(kept);
  return json;
}

Json as_json(const TrainingFacts& facts) {
  return {{"backend", facts.backend},
          {"threads", facts.threads},
          {"steps", facts.steps},
          {"gaussians", facts.gaussians},
          {"initialization_seconds", facts.initialization_seconds},
          {"training_seconds", facts.training_seconds}};
}

/// All but the identity.
Json as_json(const StudyResult& result) {
  Json json;
  json["format"] = kFormat;
  json["program"] = result.program;
  json["case"] = result.case_name;
  json["training_views"] = result.training_views;
  json["method"] = result.method;
  json["labels"] = result.labels;
  json["seed"] = result.seed ? Json(*result.seed) : Json(nullptr);
  if (result.evaluation) json.update(as_json(*result.evaluation));
  if (result.training) json["run"] = as_json(*result.training);
  for (const auto& [render, scores] : result.renders) json["renders"][render] = as_json(scores);
  json["machine"] = as_json(result.machine);
  return json;
}

// ---- reading

/// A number that is not finite is stored as null; a PSNR is so only where images are identical.
double number(const Json& json, double if_null) { return json.is_null() ? if_null : json.get<double>(); }
double psnr(const Json& json) { return number(json, std::numeric_limits<double>::infinity()); }
double score(const Json& json) { return number(json, std::numeric_limits<double>::quiet_NaN()); }

ImageScore image_score(const Json& json) { return {psnr(json.at("psnr_db")), score(json.at("ssim"))}; }

ViewScores view_scores(const Json& json) {
  ViewScores scores;
  scores.scale = json.at("scale");
  scores.against = json.at("against") == "/projections" ? TruthKind::measured : TruthKind::reference;
  scores.detector.width_px = json.at("size_px").at(0);
  scores.detector.height_px = json.at("size_px").at(1);
  scores.range = json.at("fixed_range");
  scores.highpass_sigma_px = json.at("highpass_sigma_px");
  const std::vector<int> blank = json.at("blank_views");
  for (const Json& view : json.at("views")) {
    ViewScore s;
    s.view = view.at("view");
    s.time_s = view.at("time_s");
    s.fixed = image_score(view.at("fixed"));
    s.normalized = image_score(view.at("4drgs"));
    s.highpass_correlation = score(view.at("highpass_correlation"));
    s.blank = std::find(blank.begin(), blank.end(), s.view) != blank.end();
    scores.views.push_back(s);
  }
  if (scores.views.empty()) throw std::runtime_error("views: expected at least one, found none");
  return scores;
}

std::optional<ConsistencyScore> consistency(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return ConsistencyScore{score(json.at("psnr_db")), json.at("rms"), json.at("mean")};
}

FalseVesselKept false_vessel(const Json& json) {
  const auto share = [](const Json& value) {
    return value.is_null() ? std::nullopt : std::optional<double>(value.get<double>());
  };
  return {share(json.at("added")), share(json.at("removed"))};
}

RenderScores render_scores(const Json& json) {
  RenderScores scores;
  scores.high_resolution = view_scores(json.at("high_resolution"));
  scores.consistency_train = consistency(json.at("consistency").at("train"));
  scores.consistency_test = consistency(json.at("consistency").at("test"));
  for (const auto& [source, kept] : json.at("false_vessel").items())
    scores.false_vessel.emplace(source, false_vessel(kept));
  return scores;
}

VolumeEvaluation volume(const Json& json) {
  if (json.is_null()) return {};
  VolumeEvaluation v;
  if (json.at("time_s").is_number()) v.time_s = json.at("time_s").get<double>();
  v.surface_threshold_per_mm = json.at("surface_threshold_per_mm");
  v.reference_maximum_per_mm = json.at("reference_maximum_per_mm");
  v.score = VolumeScore{psnr(json.at("psnr_db")), score(json.at("ssim")), score(json.at("dice")),
                        score(json.at("chamfer_mm")), score(json.at("hd95_mm"))};
  return v;
}

Evaluation evaluation(const Json& json) {
  Evaluation e;
  e.measured = view_scores(json.at("low_resolution"));
  e.views.name = json.at("views").at("set");
  for (const ViewScore& s : e.measured.views) e.views.views.push_back(s.view);
  e.without_valid_pixels = json.at("views").at("without_valid_pixels").get<std::vector<int>>();
  if (json.contains("volume")) e.volume = volume(json.at("volume"));
  return e;
}

std::string text(const Json& json) { return json.is_null() ? "" : json.get<std::string>(); }

RunIdentity identity(const Json& json) {
  const Json &training = json.at("training"), &scoring = json.at("scoring");
  return {{training.at("case"), training.at("train_views"), text(training.at("config")), text(training.at("labels"))},
          {scoring.at("test_views"), scoring.at("renders"), scoring.at("kind"), scoring.at("false_vessel")}};
}

StudyResult result(const Json& json) {
  StudyResult r;
  if (json.at("format") != kFormat) throw std::runtime_error("format: expected " + std::string(kFormat));
  r.program = json.at("program");
  r.case_name = json.at("case");
  r.training_views = json.at("training_views");
  r.method = json.at("method");
  r.labels = json.at("labels");
  if (!json.at("seed").is_null()) r.seed = json.at("seed").get<std::int64_t>();
  if (json.contains("run")) {
    const Json& run = json.at("run");
    r.training = TrainingFacts{run.at("backend"),
                               run.at("threads"),
                               run.at("steps"),
                               run.at("gaussians"),
                               run.at("initialization_seconds"),
                               run.at("training_seconds")};
    r.evaluation = evaluation(json);
  }
  for (const auto& [render, scores] : json.at("renders").items()) r.renders.emplace_back(render, render_scores(scores));
  if (r.renders.empty()) throw std::runtime_error("renders: expected at least one, found none");
  const Json& machine = json.at("machine");
  r.machine = {machine.at("processor"), machine.at("processor_threads"), machine.at("commit"), machine.at("finished")};
  r.identity = identity(json.at("identity"));
  return r;
}

}  // namespace

std::optional<StudyResult> read_result(const fs::path& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  try {
    return result(parse_json<Json>(file));
  } catch (const std::runtime_error& e) {  // those above
    throw BadInput(path.string(), "the file", kExpected, e.what());
  } catch (const std::exception&) {  // the JSON library's, whose words are for programmers, and the file system's
    throw BadInput(path.string(), "the file", kExpected, "text that is none, or a part of one");
  }
}

void write_result(const fs::path& path, const StudyResult& result) {
  Json json = as_json(result);
  json["identity"] = as_json(result.identity);
  write_text(path, json_text(json));
}

void write_results(const fs::path& path, const StudySummary& summary,
                   const std::vector<std::pair<std::string, StudyResult>>& results) {
  Json json;
  json["format"] = "dsasrgs.study";
  json["program"] = "dsasrgs " DSASRGS_VERSION_STRING;
  json["study"] = summary.study;
  json["machine"] = as_json(machine_facts());
  json["runs"] = {{"planned", summary.planned}, {"finished", results.size()}, {"left_out", summary.left_out}};
  json["results"] = Json::array();
  for (const auto& [folder, result] : results) {
    Json& item = json["results"].emplace_back(as_json(result));
    item["folder"] = folder;
  }
  write_text(path, json_text(json, 1));
}

}  // namespace dsasrgs::program
