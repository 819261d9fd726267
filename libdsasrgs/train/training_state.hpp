// SPDX-License-Identifier: Apache-2.0
#pragma once
// A training run: what the reconstructor owns, density events change and checkpoints save.

#include <cstdint>
#include <string>
#include <vector>

#include "densify/densify.hpp"
#include "model_parameters.hpp"

namespace dsasrgs {

class ViewPipeline;

/// First and second moment of one parameter array.
struct AdamMoments {
  Buffer<float> first, second;
  static AdamMoments zeros(Context& ctx, std::size_t size) {
    return {Buffer<float>::zeros(ctx, size), Buffer<float>::zeros(ctx, size)};
  }
};

/// α and β of the confidence and their moments.
struct ConfidenceState {
  Buffer<float> weights, first, second;  ///< [2] each
  static ConfidenceState initial(Context&, const SuperResolutionConfig&);
};

/// Adam's moments of what is learnt on the device.
struct OptimizerState {
  PerParameter<AdamMoments> of;
  ConfidenceState confidence;  ///< empty without the target `teach`
  static OptimizerState zeros(Context&, const Model&);
  AdamMoments& operator[](Parameter p) { return of[p]; }
  const AdamMoments& operator[](Parameter p) const { return of[p]; }
};

/// Adam's moments of the gain and offset of one training view.
struct NuisanceMoments {
  double gain_first = 0, gain_second = 0, offset_first = 0, offset_second = 0;
  std::int64_t updates = 0;
};

/// What was seen of every Gaussian since the last event of each kind.
struct DensificationStatistics {
  DensityStatistics control;  ///< of density control
  DensityStatistics split;    ///< of RSD; empty without it
  static DensificationStatistics zeros(Context&, const Config&, std::size_t num_gaussians);
  bool has_split() const { return split.gradient_norm.size() > 0; }
  /// Adds the view that went backward last, on its detector.
  void add(Context&, const Detector&, const ViewPipeline&);
};

/// Of pose refinement (train/pose_refinement.hpp), by parameter; empty without it.
struct PoseRefinementState {
  std::vector<double> values;         ///< in rad, mm, or a factor
  std::vector<double> gradient;       ///< of the steps since the last update
  std::vector<double> first, second;  ///< Adam's moments, by pixels
  std::int64_t updates = 0;
};

struct TrainingState {
  Config config;
  int step = 0;  ///< steps done
  Model model;
  OptimizerState optimizer;
  DensificationStatistics statistics;
  std::vector<NuisanceMoments> nuisance_moments;  ///< as model.nuisance
  std::string validity{};                         ///< validity_fingerprint() of the training views
  std::vector<Pose> poses{};                      ///< of the training views, refined; empty: as given. Not saved
  PoseRefinementState pose_refinement{};

  /// Before the first step.
  static TrainingState initial(Context&, const Config&, Model);
};

}  // namespace dsasrgs
