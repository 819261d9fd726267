#pragma once
// All that a training run consists of; what a checkpoint saves.

#include <cstdint>
#include <string>
#include <vector>

#include "densify/densify.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "train/view_loss.hpp"
#include "view_pipeline.hpp"

namespace dsasrgs {

/// First and second moment of one parameter array.
struct AdamMoments {
  Buffer<float> first, second;
  static AdamMoments zeros(Context& ctx, std::size_t size) {
    return {Buffer<float>::zeros(ctx, size), Buffer<float>::zeros(ctx, size)};
  }
};

/// Moments of every parameter array of a model.
struct OptimizerState {
  AdamMoments position, raw_scale, rotation, attenuation;  // per Gaussian
  AdamMoments table3d, table4d, network;                   // shared
  ConfidenceState confidence;                              // α and β with theirs; empty without super-resolution
  static OptimizerState zeros(Context&, const Model&);
};

/// Gradient buffers of the shared field parameters; Adam zeroes them as it reads.
struct FieldGradient {
  Buffer<float> table3d, table4d, network;
  static FieldGradient zeros(Context&, const AttenuationField&);
};

/// Learning rates and thresholds of one step.
struct StepSchedule {
  float position, scale, rotation, field, attenuation, nuisance, confidence;
  bool density_event;
  float split_voxels;
  bool residual_split_event;
  float residual_split_threshold;  ///< τ_grad·η_iter
  bool residual_births_event;
  bool changes_gaussians() const { return density_event || residual_split_event || residual_births_event; }
};
StepSchedule schedule_at(const Config&, double largest_side_mm, int step);

/// Training view of a step (1-based): each epoch is a permutation drawn from (seed, epoch), so it needs no state.
int view_of_step(std::int64_t seed, int num_views, int step);

}  // namespace dsasrgs
