#include "baseline_scores.hpp"

#include "dsasrgs/baselines.hpp"

namespace dsasrgs::program {

nlohmann::ordered_json score_baselines(Context& ctx, const ProjectionTruth& truth, const ViewSet& set, bool quiet) {
  const Acquisition& a = truth.acquisition();
  const auto num_scored = static_cast<std::int64_t>(set.views.size());
  nlohmann::ordered_json json;
  if (!a.train_views.empty() || !a.test_views.empty()) {
    Progress progress("interpolating", "views", num_scored, quiet);
    json["interpolation"] =
        scores_as_json(truth, score_views(
                                  truth, set.views, [&](int view) { return interpolate_views(a, view); }, progress));
  }
  const std::vector<float> volume = fdk_volume(ctx, a, a.training_views(), a.volume);
  const auto reproject = [&](int view) {
    return reproject_volume(ctx, volume, a.volume, {a.poses[static_cast<std::size_t>(view)]}, truth.detector());
  };
  Progress progress("reprojecting", "views", num_scored, quiet);
  json["fdk"] = scores_as_json(truth, score_views(truth, set.views, reproject, progress));
  return json;
}

}  // namespace dsasrgs::program
