// SPDX-License-Identifier: Apache-2.0
#include "train/training_loss.hpp"

namespace dsasrgs {

TrainingLoss::TrainingLoss(Context& ctx, const TrainingViews& views, const Config& config, LabelReader labels)
    : views_(&views),
      config_(&config),
      view_loss_(ctx, views, config, std::move(labels)),
      variation_(views.volume(), views.units(), config.training),
      rendered_(ctx, view_loss_.max_pixels()),
      grad_rendered_(ctx, view_loss_.max_pixels()),
      pose_sums_(ctx, config.geometry.refine ? kPoseSums : 0) {
  pipeline_.bin_beside_field(config.training.step_graph);
  if (config.super_resolution.target == HighResolutionTarget::teach)
    gradient_.confidence = Buffer<float>::zeros(ctx, 2);
}

ViewRequest TrainingLoss::request(std::size_t slot, float model_time, const TrainingState& state) const {
  return {pose(slot, state), detector(state.step), model_time, config_->gaussians.pixel_footprint};
}

void TrainingLoss::run(Context& ctx, std::size_t slot, float model_time, const TrainingState& state, bool pose_sums) {
  if (untaken_) {
    gradient_.model = {};
    zero_bytes(ctx, gradient_.confidence.data(), gradient_.confidence.size() * sizeof(float));
  }
  untaken_ = true;
  const GaussianCloud& cloud = state.model.cloud;
  const AttenuationField& field = state.model.field;
  const ViewRequest view = request(slot, model_time, state);
  const View<float> image = rendered_.view().subview(0, view.detector.num_pixels()),
                    grad_image = grad_rendered_.view().subview(0, image.size());
  pipeline_.forward(ctx, cloud, field, view, image);
  clock().time(ctx, static_cast<std::size_t>(Stage::image_loss), [&] {
    gradient_.nuisance = view_loss_.run(ctx, slot, image, state.optimizer.confidence.weights, state.model.nuisance,
                                        {grad_image, gradient_.confidence});
  });
  std::function<void(ModelGradient&)> add_variation;
  if (uses_variation())
    add_variation = [&](ModelGradient& g) {
      clock().time(ctx, static_cast<std::size_t>(Stage::total_variation),
                   [&] { variation_.add_gradient(ctx, cloud.view(), pipeline_.density(), state.step, g); });
    };
  pipeline_.backward(ctx, cloud, field, view, grad_image, gradient_.model, add_variation);
  has_pose_sums_ = pose_sums;
  if (pose_sums)
    clock().time(ctx, static_cast<std::size_t>(Stage::project_backward), [&] {
      project_pose_backward(ctx, {cloud.view(), pipeline_.density(), view.pose, view.detector, view.pixel_footprint},
                            {pipeline_.grad_mean_px(), pipeline_.grad_conic(), pipeline_.grad_amplitude()},
                            pose_scratch_, pose_sums_);
    });
  if (uses_table_variation()) {
    const auto weight = static_cast<float>(config_->training.table_variation_weight);
    offset_table_smoothness_forward(ctx, weight, cloud.attenuation, table_variation_);
    offset_table_smoothness_backward(ctx, weight, cloud.attenuation, gradient_.model[Parameter::attenuation]);
  }
  watch(ctx, image, grad_image);
}

void TrainingLoss::watch(Context& ctx, View<const float> rendered, View<const float> grad_rendered) {
  const ModelGradient& g = gradient_.model;
  WatchedArrays arrays;
  const auto look_at = [&](Watched name, View<const float> array) { arrays[static_cast<std::size_t>(name)] = array; };
  look_at(Watched::density, pipeline_.density());
  look_at(Watched::mean_px, pipeline_.mean_px());
  look_at(Watched::conic, pipeline_.conic());
  look_at(Watched::amplitude, pipeline_.amplitude());
  look_at(Watched::rendered, rendered);
  look_at(Watched::grad_rendered, grad_rendered);
  look_at(Watched::grad_mean_px, pipeline_.grad_mean_px());
  look_at(Watched::grad_conic, pipeline_.grad_conic());
  look_at(Watched::grad_amplitude, pipeline_.grad_amplitude());
  look_at(Watched::grad_raw_scale, g[Parameter::raw_scale]);
  look_at(Watched::grad_rotation, g[Parameter::rotation]);
  look_at(Watched::grad_density, g.density);
  look_at(Watched::grad_position, g[Parameter::position]);
  look_at(Watched::grad_attenuation, g[Parameter::attenuation]);
  look_at(Watched::grad_network, g[Parameter::network]);
  find_non_finite(ctx, arrays, non_finite_);
}

LossTerms TrainingLoss::terms(const TrainingState& state) const {
  LossTerms terms;
  terms.non_finite = non_finite_.found.data();
  terms.image = view_loss_.image_loss();
  terms.image_weight = static_cast<double>(view_loss_.image_weight());
  terms.nuisance.gain = static_cast<double>(view_loss_.gain());
  terms.nuisance.offset = static_cast<double>(view_loss_.offset()) / views_->units().line_integral;
  terms.fine = view_loss_.fine_losses();
  terms.fine_weight = view_loss_.fine_weight();
  if (!terms.fine.empty()) terms.confidence = state.optimizer.confidence.weights.data();
  if (uses_variation()) terms.total_variation = variation_.value();
  terms.total_variation_weight = variation_.weight_mm();
  if (has_pose_sums_) terms.pose_sums = pose_sums_.data();
  if (uses_table_variation()) terms.table_variation = table_variation_.value.data();
  return terms;
}

void TrainingLoss::render_as_measured(Context& ctx, std::size_t slot, const TrainingState& state, View<float> low) {
  const ViewRequest view = request(slot, views_->model_time(slot), state);
  const View<float> image = rendered_.view().subview(0, view.detector.num_pixels());
  pipeline_.forward(ctx, state.model.cloud, state.model.field, view, image);
  view_loss_.as_measured(ctx, slot, image, state.model.nuisance, low);
}

}  // namespace dsasrgs
