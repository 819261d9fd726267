// SPDX-License-Identifier: Apache-2.0
#pragma once
// Fits the poses of the training views along with the model: Adam on corrections, one update per pass over the views.

#include "train/loss_history.hpp"
#include "train/pose_parameters.hpp"
#include "train/training_state.hpp"

namespace dsasrgs {

class PoseRefinement {
 public:
  /// Throws as PoseParameters. Views and configuration must outlive it.
  PoseRefinement(const TrainingViews&, const Config&);

  /// No correction yet.
  PoseRefinementState initial() const;
  /// Sets state.poses and the model's correction by the state's values. Throws BadInput when these are not as many as
  /// there are parameters.
  void apply(TrainingState&) const;

  /// Whether the gradient of a step counts: its pass over the views lies in the steps configured.
  bool uses(int step) const;
  /// Whether poses change after a step: it ends such a pass.
  bool updates_after(int step) const { return uses(step) && step % static_cast<int>(views_->size()) == 0; }
  /// Adds the gradient of one step, seen on `detector`, to those of its pass.
  void add(const KnownLoss&, std::size_t slot, const Detector& detector, TrainingState&) const;
  /// Changes the corrections by the gradients of a pass, and with them state.poses and the model's correction. Throws
  /// NumericalError naming the view when a correction exceeds geometry.largest_px.
  void update(TrainingState&) const;

  /// Whether views are to be looked at for shifts after an update: every kEveryShift-th in the first half of the steps.
  bool looks_for_shifts(const TrainingState&) const;
  /// A view whose render [H,W] looks much more like its measurement when it is shifted by two pixels or more is shifted
  /// so: gradients end where vessels no longer overlap. True if it was.
  bool shift(Context&, std::size_t slot, std::span<const float> render, TrainingState&) const;
  /// After the last shift(): settles the corrections.
  void finish_shifts(TrainingState&) const;

 private:
  static constexpr int kEveryShift = 10, kMostShift_px = 8;
  void require_bounded(const TrainingState&) const;

  const TrainingViews* views_;
  const Config* config_;
  PoseParameters parameters_;
};

}  // namespace dsasrgs
