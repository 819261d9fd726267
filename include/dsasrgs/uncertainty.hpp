// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// How far renders and volumes of a model may be wrong, as standard deviations, and which views saw a voxel
/// (method.md section 8).

#include <memory>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/export.hpp"
#include "dsasrgs/geometry.hpp"
#include "dsasrgs/image.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/progress.hpp"

namespace DSASRGS_API dsasrgs {

/// What standard deviations are multiplied by, since the closed form leaves out what is not small: Gaussians that share
/// pixels, and errors that all views have. Measured on simulated trees (docs/results.md, "Error bars").
struct UncertaintyOptions {
  double image_factor = 1.07;
  double volume_factor = 1.54;
  /// Scale all variances towards what the renders of the training views are wrong by, noise left out: by the square
  /// root of the quotient, since that is too small where a model has fitted its views closely.
  bool match_misfit = true;
};

/// Standard deviations of a model's renders and volumes, from what its training views leave unexplained. They are known
/// where the model has Gaussians: a vessel that it misses has none, and nothing here tells of it. Context and model
/// must outlive it, and the model must stay as it is. Holds 2 numbers per Gaussian and knot of time (1 knot for
/// `static`, 5 for `offset-table`, 9 for `neural`) in the context's memory.
class Uncertainty {
 public:
  /// Renders the training views (those the model names, else Acquisition::training_views()) and holds them against what
  /// was measured, poses corrected as the model has it and invalid pixels left out; stages "weighing" and, with
  /// match_misfit, "matching". Throws BadInput where the acquisition is not that which the model was trained on;
  /// InvalidArgument without views, for sizes that disagree, pixels that are not finite and factors that are not
  /// positive; NumericalError naming a view whose render is not finite; Cancelled; OutOfMemory; CudaError.
  Uncertainty(Context&, const Model&, const Acquisition&, const UncertaintyOptions& = {}, const ProgressCallback& = {});
  Uncertainty(Context&, const Model&&, const Acquisition&, const UncertaintyOptions& = {},
              const ProgressCallback& = {}) = delete;  // the model would be gone before the first render
  Uncertainty(Uncertainty&&) noexcept;
  Uncertainty& operator=(Uncertainty&&) noexcept;
  ~Uncertainty();

  /// Standard deviation [H,W] of Renderer::render, dimensionless as it is. Errors as there.
  Image render(const Pose&, const Detector&);
  /// Standard deviation of Renderer::voxelize, 1/mm. Errors as there.
  Volume voxelize(const VolumeGrid&, double time_s);
  /// Standard deviation of Renderer::voxelize_mean, of which all views together tell, 1/mm. Errors as there.
  Volume voxelize_mean(const VolumeGrid&);

  /// Standard deviation of each Gaussian's central attenuation at a time, without a factor, [N] 1/mm. Throws
  /// InvalidArgument for a time that is NaN.
  std::vector<float> density_deviation(double time_s);

 private:
  struct State;
  State& state() const;
  std::unique_ptr<State> state_;
};

/// Which views saw a voxel.
struct SupportMap {
  VolumeGrid grid;
  /// [z,y,x] views whose detector the voxel's centre is projected onto, in a valid pixel.
  std::vector<int> views;
  /// [z,y,x] rad, 0 to π: how widely they are spread, as the arc about the voxel over which evenly spread views would
  /// have lines of sight as far from parallel. Half a turn has all lines of a plane; 0: fewer than two lines.
  std::vector<float> spread_rad;
};

/// Of these views of an acquisition; stage "supporting", in slices. What a view tells of a Gaussian depends on nothing
/// but whether its pixels count, so a view counts whole or not at all. Throws InvalidArgument for a grid without
/// voxels, no view, one that is not there, and sizes that disagree; Cancelled; OutOfMemory.
SupportMap support_map(const Context&, const Acquisition&, const std::vector<int>& views, const VolumeGrid&,
                       const ProgressCallback& = {});
/// With these poses of all its views instead of its own, such as poses_as_corrected() of a model.
SupportMap support_map(const Context&, const Acquisition&, const std::vector<Pose>& poses,
                       const std::vector<int>& views, const VolumeGrid&, const ProgressCallback& = {});

}  // namespace dsasrgs
