// SPDX-License-Identifier: Apache-2.0
#pragma once
// The numbers that pose refinement fits, as one list: corrections that all views share, knots of the smooth curve,
// remainders. A view's correction depends on them linearly.

#include <Eigen/Dense>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "dsasrgs/pose_correction.hpp"
#include "train/training_views.hpp"
#include "view_correction.hpp"

namespace dsasrgs {

/// How each of a view's nine numbers moves the points of the volume on the detector, px per rad or mm.
using DetectorShifts = Eigen::Matrix<double, 2 * kPointsOfVolume, ViewCorrection::kSize>;

class PoseParameters {
 public:
  /// Views of at least this share of the greatest contrast have contrast. The others have no remainder, and nothing is
  /// concluded from them.
  static constexpr double kContrast = 0.02;
  /// What refinement needs at least, so that a view is held against many others.
  static constexpr std::size_t kLeastViews = 8;

  /// Throws BadInput where fewer than kLeastViews have contrast, the poses define no arc, or a correction that all
  /// views share cannot be told from a motion or scaling of the volume.
  PoseParameters(const TrainingViews&, std::size_t knots);

  /// How many parameters there are.
  static std::size_t count(std::size_t knots, std::size_t views) { return kShared + kRigid * (knots + views); }
  std::size_t size() const { return unit_.size(); }
  /// Of each parameter, what moves the image by one pixel; 0: it stays 0.
  const std::vector<double>& unit() const { return unit_; }
  bool is_remainder(std::size_t parameter) const { return parameter >= kShared + kRigid * knots_; }

  /// Correction of training view `slot`.
  ViewCorrection view(std::size_t slot, std::span<const double> values) const;
  /// gradient += what a view's derivatives are by the parameters: the transpose of view().
  void add_gradient(std::size_t slot, const ViewCorrection& by_view, std::span<double> gradient) const;
  /// Moves to knots what remainders have of a smooth curve and to the sweep what knots have of its corrections, then
  /// takes away what a rigid motion or scaling of the volume explains, and shared corrections that hardly show beside
  /// that. To the first order, and but for the last, no view's pose changes otherwise than by such a motion.
  void settle(std::span<double> values) const;

  /// Adds to the remainder of training view `slot` what shifts its image by (u_px, v_px). Nothing for one without
  /// contrast.
  void shift(std::size_t slot, double u_px, double v_px, std::span<double> values) const;
  /// Scales what views share and the curve by one factor, and each view's remainder by its own.
  void scale(double smooth, std::span<const double> remainders, std::span<double> values) const;
  bool has_contrast(std::size_t slot) const { return contrast_[slot]; }

  PoseCorrection correction(std::span<const double> values) const;

 private:
  static constexpr std::size_t kShared = 6, kRigid = 6, kGauge = 7;

  std::size_t views() const { return places_.size(); }
  std::size_t knot(std::size_t k) const { return kShared + kRigid * k; }
  double knot_weight(std::size_t slot, std::size_t k) const {
    return knot_weights_(static_cast<Eigen::Index>(slot), static_cast<Eigen::Index>(k));
  }
  std::size_t remainder(std::size_t slot) const { return kShared + kRigid * (knots_ + slot); }
  std::vector<std::size_t> lit() const;  // slots of views with contrast
  void make_units(const std::vector<DetectorShifts>&);
  void make_gauge(const TrainingViews&, const std::vector<DetectorShifts>&);
  void make_curve();
  void sort_out(std::span<double> values) const;  // settle() without taking away
  std::vector<double> motion_of_the_volume(const TrainingViews&, std::size_t motion) const;
  Eigen::VectorXd in_pixels(std::span<const double> values) const;
  /// Combinations [m,6] of the shared corrections, in pixels, of whose shifts motions of the volume explain all but a
  /// hundredth. Throws BadInput where that is so of one by itself.
  Eigen::MatrixXd weak_combinations(const TrainingViews&, const Eigen::MatrixXd& gauge,
                                    const std::vector<DetectorShifts>&) const;

  PoseCorrection frame_;  // without values
  std::size_t knots_;
  std::vector<ViewPlace> places_;
  std::vector<bool> contrast_;
  std::vector<std::array<ViewCorrection, kShared>> shared_;  // of each view, by the unit of each shared correction
  std::vector<double> unit_;
  std::vector<Vec2d> px_per_mm_;  // of each view: how a shift along u moves the image along u, and v along v
  // In pixels: [7+m,P], what has to be 0 of the parameters, and [P,7+m], along what it is taken away.
  Eigen::MatrixXd gauge_, taken_away_;
  // [K,K]: all knots, of those that are fitted. A knot that views with contrast hardly see is what the next one is, or
  // lies on the line between two.
  Eigen::MatrixXd all_knots_;
  Eigen::MatrixXd knot_weights_;    // [views,K]: what a view has of the knots that are fitted
  Eigen::MatrixXd curve_of_views_;  // [K, views with contrast]: least-squares knots
  Eigen::MatrixXd shared_curves_;   // [3K,3]: knots (turns) of roll, tilt and arc scale
};

}  // namespace dsasrgs
