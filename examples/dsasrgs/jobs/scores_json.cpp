// SPDX-License-Identifier: Apache-2.0
#include "jobs/scores_json.hpp"

namespace dsasrgs::program {

using Json = nlohmann::ordered_json;

namespace {

/// Where the truth stands in an acquisition file.
const char* field_of(TruthKind kind) { return kind == TruthKind::measured ? "/projections" : "/reference/projections"; }

Json image_score_as_json(const ImageScore& s) { return {{"psnr_db", s.psnr_db}, {"ssim", s.ssim}}; }

void add_scores(Json& json, const ProjectionScore& s) {
  json["fixed"] = image_score_as_json(s.fixed);
  json["4drgs"] = image_score_as_json(s.normalized);
  json["highpass_correlation"] = s.highpass_correlation;
}

Json mean_as_json(const ProjectionScore& mean) {
  Json json;
  add_scores(json, mean);
  return json;
}

Json view_as_json(const ViewScore& s) {
  Json json;
  json["view"] = s.view;
  json["time_s"] = s.time_s;
  add_scores(json, s);
  return json;
}

Json volume_as_json(const VolumeEvaluation& volume) {
  if (!volume.score) return nullptr;
  const VolumeScore& s = *volume.score;
  Json json;
  json["time_s"] = volume.time_s ? Json(*volume.time_s) : Json("mean over the sweep");
  json["surface_threshold_per_mm"] = volume.surface_threshold_per_mm;
  json["reference_maximum_per_mm"] = volume.reference_maximum_per_mm;
  json["psnr_db"] = s.psnr_db;
  json["ssim"] = s.ssim;
  json["dice"] = s.dice;
  json["chamfer_mm"] = s.chamfer_mm;
  json["hd95_mm"] = s.hd95_mm;
  return json;
}

void add_baselines(Json& json, const char* key, const std::vector<BaselineScores>& baselines) {
  for (const BaselineScores& b : baselines) json[key][b.name] = as_json(b.scores);
}

Json share_as_json(const std::optional<double>& share) { return share ? Json(*share) : Json(nullptr); }

}  // namespace

std::string json_text(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json as_json(const ViewScores& scores) {
  Json json;
  json["against"] = field_of(scores.against);
  json["size_px"] = {scores.detector.width_px, scores.detector.height_px};
  json["scale"] = scores.scale;
  json["fixed_range"] = scores.range;
  json["highpass_sigma_px"] = scores.highpass_sigma_px;
  json["blank_views"] = scores.blank_views();
  json["mean"] = mean_as_json(scores.mean());
  json["worst"] = view_as_json(scores.worst());
  json["best"] = view_as_json(scores.best());
  json["views"] = Json::array();
  for (const ViewScore& s : scores.views) json["views"].push_back(view_as_json(s));
  return json;
}

Json as_json(const Evaluation& evaluation) {
  const ViewSet& set = evaluation.views;
  Json json;
  json["views"] = {
      {"set", set.name}, {"count", set.views.size()}, {"without_valid_pixels", evaluation.without_valid_pixels}};
  json["low_resolution"] = as_json(evaluation.measured);
  if (evaluation.reference) json["high_resolution"] = as_json(*evaluation.reference);
  if (evaluation.volume) json["volume"] = volume_as_json(*evaluation.volume);
  add_baselines(json, "baselines", evaluation.baselines);
  add_baselines(json, "reference_baselines", evaluation.reference_baselines);
  return json;
}

Json as_json(const ConsistencyScore& s) { return {{"psnr_db", s.psnr_db}, {"rms", s.rms}, {"mean", s.mean}}; }

Json as_json(const FalseVesselKept& kept) {
  return {{"added", share_as_json(kept.added)}, {"removed", share_as_json(kept.removed)}};
}

}  // namespace dsasrgs::program
