// SPDX-License-Identifier: Apache-2.0
#pragma once
// All that a training step minimises, and its gradient: the image loss of a view, total variation, table smoothness.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "attenuation/attenuation.hpp"
#include "train/loss_history.hpp"
#include "train/training_state.hpp"
#include "train/view_loss.hpp"
#include "train/volume_variation.hpp"
#include "train/watched_numbers.hpp"
#include "view_pipeline.hpp"

namespace dsasrgs {

/// With respect to everything that is learnt.
struct LossGradient {
  ModelGradient model;
  Buffer<float> confidence;  ///< [2] of α and β, as the shared parameters: added to; the optimiser sets it to zero
  NuisanceGradient nuisance;
};

class TrainingLoss {
 public:
  /// Views and configuration must outlive it. Throws as ViewLoss does.
  TrainingLoss(Context&, const TrainingViews&, const Config&, LabelReader);

  /// Other labels from here on. Throws as ViewLoss does.
  void use_labels(Context& ctx, LabelReader labels) { view_loss_.use_labels(ctx, std::move(labels)); }

  /// The detector views are rendered on at a step.
  const Detector& detector(int step) const { return view_loss_.detector(step); }
  /// Evaluates the loss of training view `slot` at state.step, with the model as it is at `model_time`, and its
  /// gradient, with `pose_sums` by the view's pose, too. Changes nothing of the state. Waits with nuisance parameters
  /// or total variation only.
  void run(Context&, std::size_t slot, float model_time, const TrainingState&, bool pose_sums = false);
  LossGradient& gradient() { return gradient_; }
  /// The optimiser is about to use gradient() up, which sets to zero what it reads. Where nobody says so before the
  /// next run(), that begins with zeros of its own.
  void gradient_is_taken() { untaken_ = false; }
  /// Where the terms of the last run() stand.
  LossTerms terms(const TrainingState&) const;

  /// The view of the last run(), for the statistics of its Gaussians.
  const ViewPipeline& pipeline() const { return pipeline_; }
  /// Of its tile lists, for whoever watches how full they are.
  RasterizeScratch& rasterize_scratch() { return pipeline_.rasterize_scratch(); }
  /// Pose of training view `slot`, refined where it is.
  const Pose& pose(std::size_t slot, const TrainingState& state) const {
    return state.poses.empty() ? views_->pose(slot) : state.poses[slot];
  }
  /// low [H,W] ← training view `slot` as the model shows it when it was measured, to be held against the measurement.
  void render_as_measured(Context&, std::size_t slot, const TrainingState&, View<float> low);

  /// Of all stages of a step; who does those behind the loss times them with it.
  StageClock& clock() { return pipeline_.clock(); }

 private:
  bool uses_variation() const { return config_->training.tv_weight > 0; }
  bool uses_table_variation() const { return config_->training.table_variation_weight > 0; }
  /// Looks for numbers that are not finite in what the last run() computed.
  void watch(Context&, View<const float> rendered, View<const float> grad_rendered);
  ViewRequest request(std::size_t slot, float model_time, const TrainingState&) const;

  const TrainingViews* views_;
  const Config* config_;
  ViewLoss view_loss_;
  ViewPipeline pipeline_;
  VolumeVariation variation_;
  OffsetTableSmoothness table_variation_;
  LossGradient gradient_;
  Buffer<float> rendered_, grad_rendered_;
  NonFinite non_finite_;
  Buffer<float> pose_sums_;  // [kPoseSums], of the last run() that asked for them
  PoseScratch pose_scratch_;
  bool has_pose_sums_ = false;  // the last run() did
  bool untaken_ = false;        // there may be a gradient that nobody has taken
};

}  // namespace dsasrgs
