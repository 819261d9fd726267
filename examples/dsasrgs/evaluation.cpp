#include "evaluation.hpp"

#include <algorithm>
#include <cstdio>

#include "baseline_scores.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/metrics.hpp"
#include "view_scores.hpp"

namespace dsasrgs::program {

using Json = nlohmann::ordered_json;

namespace {

constexpr int kSsimWindow = 7;
constexpr double kSurfaceFraction = 0.2;

Json score_volume_against_reference(const Acquisition& a, Renderer& renderer, const std::vector<float>& mean_volume,
                                    const EvaluationOptions& options) {
  const ReferenceVolume& reference = *a.reference_volume;
  const float largest = *std::max_element(reference.values.begin(), reference.values.end());
  if (!(largest > 0)) return nullptr;  // an empty truth has no surface and no range
  const double threshold = options.surface_threshold_per_mm.value_or(kSurfaceFraction * largest);
  std::vector<float> volume = mean_volume;
  if (reference.time_s)
    volume = renderer.voxelize(a.volume, *reference.time_s).values;
  else if (volume.empty())
    volume = renderer.voxelize_mean(a.volume, a.num_views()).values;
  const VolumeScore s = score_volume(volume, reference.values, a.volume, threshold);
  Json json;
  if (reference.time_s)
    json["time_s"] = *reference.time_s;
  else
    json["time_s"] = "mean over the sweep";
  json["surface_threshold_per_mm"] = threshold;
  json["reference_maximum_per_mm"] = largest;
  json["psnr_db"] = s.psnr_db;
  json["ssim"] = s.ssim;
  json["dice"] = s.dice;
  json["chamfer_mm"] = s.chamfer_mm;
  json["hd95_mm"] = s.hd95_mm;
  return json;
}

Json score_renders(const ProjectionTruth& truth, Renderer& renderer, const ViewSet& set,
                   const EvaluationOptions& options) {
  const auto render = [&](int view) {
    return renderer.render(truth.acquisition().poses[static_cast<std::size_t>(view)], truth.detector()).values;
  };
  Progress progress(truth.scale() == 1 ? "evaluating" : "evaluating high resolution", "views",
                    static_cast<std::int64_t>(set.views.size()), options.quiet);
  return scores_as_json(truth, score_views(truth, set.views, render, progress));
}

std::string number(const Json& value, const char* format) {
  if (!value.is_number() || !std::isfinite(value.get<double>())) return "-";
  char text[48];
  std::snprintf(text, sizeof text, format, value.get<double>());
  return text;
}

void add_row(std::string& table, const std::string& name, const Json& scores) {
  const Json &mean = scores["mean"], &fixed = mean["fixed"], &normalized = mean["4drgs"];
  char row[256];
  std::snprintf(row, sizeof row, "\n%-22s %9s %8s %9s %9s %8s %10s", name.c_str(),
                number(fixed["psnr_db"], "%.2f").c_str(), number(fixed["ssim"], "%.4f").c_str(),
                number(scores["worst"]["fixed"]["psnr_db"], "%.2f").c_str(),
                number(normalized["psnr_db"], "%.2f").c_str(), number(normalized["ssim"], "%.4f").c_str(),
                number(mean["highpass_correlation"], "%.4f").c_str());
  table += row;
}

}  // namespace

void require_measurable(const Acquisition& a, const ViewSet& set) {
  if (std::min(a.detector.width_px, a.detector.height_px) < kSsimWindow)
    throw BadInput(a.name, "/projections", "images of at least 7 x 7 pixels (the window of SSIM)",
                   std::to_string(a.detector.width_px) + " x " + std::to_string(a.detector.height_px));
  ViewSet scored = set;
  drop_views_without_pixels(a, scored);
}

Json evaluate_model(Context& ctx, const Acquisition& a, Renderer& renderer, const ViewSet& set,
                    const std::vector<float>& mean_volume, const EvaluationOptions& options) {
  ViewSet scored = set;
  const std::vector<int> empty = drop_views_without_pixels(a, scored);
  Json json;
  json["views"] = {{"set", scored.name}, {"count", scored.views.size()}, {"without_valid_pixels", empty}};
  const ProjectionTruth measured = ProjectionTruth::measured(a);
  json["low_resolution"] = score_renders(measured, renderer, scored, options);
  if (a.reference_projections)
    json["high_resolution"] = score_renders(ProjectionTruth::reference(a), renderer, scored, options);
  if (a.reference_volume) json["volume"] = score_volume_against_reference(a, renderer, mean_volume, options);
  if (options.baselines) {
    json["baselines"] = score_baselines(ctx, measured, scored, options.quiet);
    // Baselines come at the measured resolution, so only truth of that resolution can judge them.
    if (a.reference_projections && a.reference_projections->scale == 1)
      json["reference_baselines"] = score_baselines(ctx, ProjectionTruth::reference(a), scored, options.quiet);
  }
  return json;
}

std::string evaluation_summary(const Json& evaluation) {
  const Json& views = evaluation["views"];
  std::string table = std::to_string(views["count"].get<int>()) + " views (" + views["set"].get<std::string>() + ")";
  const auto add_block = [&](const char* scores, const char* baselines) {
    if (!evaluation.contains(scores)) return;
    const Json& model = evaluation[scores];
    table += "\nagainst " + model["against"].get<std::string>() + ", " +
             std::to_string(model["size_px"][0].get<int>()) + " x " + std::to_string(model["size_px"][1].get<int>()) +
             " pixels, " + std::to_string(model["blank_views"].size()) + " views without contrast left out" +
             "\n                            fixed: PSNR and SSIM, worst    4drgs: PSNR, SSIM  high-pass";
    add_row(table, "model", model);
    if (evaluation.contains(baselines))
      for (const auto& [name, s] : evaluation[baselines].items()) add_row(table, name, s);
  };
  add_block("low_resolution", "baselines");
  add_block("high_resolution", "reference_baselines");
  if (evaluation.contains("volume") && !evaluation["volume"].is_null()) {
    const Json& v = evaluation["volume"];
    table += "\nvolume: PSNR " + number(v["psnr_db"], "%.2f") + " dB, SSIM " + number(v["ssim"], "%.4f") + ", Dice " +
             number(v["dice"], "%.3f") + ", Chamfer " + number(v["chamfer_mm"], "%.3f") + " mm, HD95 " +
             number(v["hd95_mm"], "%.3f") + " mm";
  }
  return table;
}

}  // namespace dsasrgs::program
