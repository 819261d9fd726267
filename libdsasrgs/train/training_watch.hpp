// SPDX-License-Identifier: Apache-2.0
#pragma once
// Notices a training that has come to nothing while it runs, so that it stops with a reason instead of a blank model.

#include <optional>
#include <string>
#include <vector>

#include "train/loss_history.hpp"
#include "train/training_views.hpp"

namespace dsasrgs {

/// Looks at the loss of every step. What it says is about views with contrast: those whose mean is at least a quarter
/// of the brightest training view's.
class TrainingWatch {
 public:
  /// Steps of views with contrast after which a fault is certain: kPatience, or fewer where few views have contrast, so
  /// that they are seen within 50 steps.
  static constexpr int kPatience = 12, kLeastPatience = 4;
  /// Steps of a fault that one without takes back.
  static constexpr int kForgiven = 3;
  /// A render is blank when its mean is below this share of the measurement's.
  static constexpr double kBlank = 1e-3;
  /// A render has gone astray when it differs from the measurement by this many times what a blank one does; clones and
  /// children may make it some times too bright for a while.
  static constexpr double kAstray = 10;

  TrainingWatch(const TrainingViews&, const Config&);

  /// Throws NumericalError naming view, step and what to change when
  ///   - the renders have been blank, or astray, for so many steps;
  ///   - the losses of so many steps have been those of their view's last turn to the last bit, so nothing is learnt.
  void see(const KnownLoss&);

 private:
  bool has_contrast(std::size_t slot) const { return views_->mean(slot) > 0 && views_->mean(slot) >= least_mean_; }
  void look_at_render(const KnownLoss&, std::size_t slot);
  [[noreturn]] void refuse_blank(const KnownLoss&, std::size_t slot) const;
  void look_for_change(const KnownLoss&, std::size_t slot);
  std::string place(const KnownLoss&) const;

  const TrainingViews* views_;
  std::string rates_, softer_output_;  // settings to change, by their names in the configuration
  double least_mean_ = 0;
  int patience_ = kPatience;
  int blank_ = 0, astray_ = 0, unchanged_ = 0;    // steps
  std::vector<std::optional<double>> last_loss_;  // of every view
};

}  // namespace dsasrgs
