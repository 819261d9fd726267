// SPDX-License-Identifier: Apache-2.0
#include "train/training_state.hpp"

#include <utility>

#include "view_pipeline.hpp"

namespace dsasrgs {

ConfidenceState ConfidenceState::initial(Context& ctx, const SuperResolutionConfig& config) {
  return {Buffer<float>::from_host(ctx, {static_cast<float>(config.alpha), static_cast<float>(config.beta)}),
          Buffer<float>::zeros(ctx, 2), Buffer<float>::zeros(ctx, 2)};
}

OptimizerState OptimizerState::zeros(Context& ctx, const Model& model) {
  OptimizerState optimizer;
  for (const ParameterInfo& p : kParameters)
    optimizer[p.id] = AdamMoments::zeros(ctx, p.value(model.cloud, model.field).size());
  return optimizer;
}

DensificationStatistics DensificationStatistics::zeros(Context& ctx, const Config& config, std::size_t num_gaussians) {
  const bool weights = config.density_control.pixel_weights;
  DensificationStatistics s{DensityStatistics::zeros(ctx, num_gaussians, weights), {}};
  if (config.residual_split.enabled) s.split = DensityStatistics::zeros(ctx, num_gaussians, weights);
  return s;
}

void DensificationStatistics::add(Context& ctx, const Detector& detector, const ViewPipeline& view) {
  const auto add_to = [&](DensityStatistics& s) {
    density_statistics_add(ctx, detector, view.grad_mean_px(), view.box(), view.density(), s, view.conic());
  };
  add_to(control);
  if (has_split()) add_to(split);
}

TrainingState TrainingState::initial(Context& ctx, const Config& config, Model model) {
  OptimizerState optimizer = OptimizerState::zeros(ctx, model);
  if (config.super_resolution.target == HighResolutionTarget::teach)
    optimizer.confidence = ConfidenceState::initial(ctx, config.super_resolution);
  DensificationStatistics statistics = DensificationStatistics::zeros(ctx, config, model.cloud.size());
  std::vector<NuisanceMoments> moments(model.nuisance.view.size());
  return {config, 0, std::move(model), std::move(optimizer), std::move(statistics), std::move(moments)};
}

}  // namespace dsasrgs
