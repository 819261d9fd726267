// SPDX-License-Identifier: Apache-2.0
#pragma once
// Fits the poses of the training views along with the model: Adam on corrections, one update per pass over the views.

#include <functional>
#include <span>

#include "train/loss_history.hpp"
#include "train/pose_parameters.hpp"
#include "train/training_state.hpp"

namespace dsasrgs {

class PoseRefinement {
 public:
  /// Throws as PoseParameters, and BadInput where the steps configured hold no pass over the views. Views and
  /// configuration must outlive it.
  PoseRefinement(const TrainingViews&, const Config&);

  /// No correction yet.
  PoseRefinementState initial() const;
  /// Sets state.poses and the model's correction by the state's values, as many as there are parameters.
  void apply(TrainingState&) const;

  /// Whether the gradient of a step counts: its pass over the views lies in the steps configured.
  bool uses(int step) const;
  /// Whether poses change after a step: it ends such a pass.
  bool updates_after(int step) const { return uses(step) && step % static_cast<int>(views_->size()) == 0; }
  /// Adds the gradient of one step, seen on `detector`, to those of its pass.
  void add(const KnownLoss&, std::size_t slot, const Detector& detector, TrainingState&) const;
  /// low [H,W] ← training view `slot` as the model shows it.
  using RenderAsMeasured = std::function<void(std::size_t slot, View<float> low)>;
  /// Changes the corrections by the gradients of a pass, and with them state.poses and the model's correction. After
  /// every kEveryShift-th update in the first half of the steps, a view whose render looks much more like its
  /// measurement when it is shifted by two pixels or more is shifted so: gradients end where vessels no longer overlap.
  /// After the last pass, corrections lose what refinement makes of poses that are right (geometry.noise_px). Throws
  /// NumericalError naming the view when a correction exceeds geometry.largest_px. True where it has rendered.
  bool update(Context&, const RenderAsMeasured&, TrainingState&) const;

 private:
  static constexpr int kEveryShift = 10, kMostShift_px = 8;
  void follow_gradients(TrainingState&) const;
  bool looks_for_shifts(const TrainingState&) const;
  void shift(Context&, std::size_t slot, std::span<const float> render, TrainingState&) const;
  void discount_noise(TrainingState&) const;
  void require_bounded(const TrainingState&) const;

  const TrainingViews* views_;
  const Config* config_;
  PoseParameters parameters_;
};

}  // namespace dsasrgs
