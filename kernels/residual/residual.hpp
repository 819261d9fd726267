// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Where the training views say that attenuation is missing, and Gaussians to be born there (DSA-SRGS, residual-guided
/// densification; method.md section 3).

#include <cstddef>
#include <cstdint>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

/// What some views leave unexplained, per voxel [z,y,x] of a coarse grid.
struct ResidualScores {
  Buffer<float> score;         ///< minimum over the views that see the voxel of their positive residual; 0 if none do
  Buffer<std::uint32_t> seen;  ///< views that see the voxel
  /// No view yet.
  static ResidualScores zeros(Context&, const VolumeGrid&);
};

/// One view of detector [H,W]: measured is the low-resolution image, rendered the model's at the same size.
struct ResidualInput {
  VolumeGrid grid;
  Pose pose;
  Detector detector;
  View<const float> measured, rendered;  ///< [H,W]
  View<const std::uint8_t> valid;        ///< [H,W], 0 where a pixel does not count; empty: all do
};

/// score ← min(score, r), seen ← seen + 1 for the voxels that this view sees; r = max(0, measured − rendered),
/// interpolated bilinearly where the voxel's centre projects (half-pixel centres, the border's pixels repeated). A
/// view sees a voxel whose centre is in front of the source, projects into the image, and is interpolated from valid
/// pixels only. A difference that is not finite counts as 0. Deterministic; the order of views does not matter.
/// Throws InvalidArgument when sizes disagree, the grid or the detector is empty, a pitch or spacing is not positive,
/// the pose is degenerate or there are too many voxels for 32 bits.
void residual_score_add(Context&, const ResidualInput&, ResidualScores&);

/// Voxels to fill, largest score first, ties by index.
struct ResidualBirths {
  Buffer<float> position_mm;  ///< [K,3] voxel centres
  Buffer<float> score;        ///< [K] dimensionless, as the images are
  std::size_t size() const { return score.size(); }
};

/// The voxels with the largest positive scores among those that at least min_views views see, max_count at most.
/// Deterministic. On a GPU it waits once, for the count. Throws InvalidArgument when sizes disagree, min_views < 1 or
/// there are too many voxels for 32 bits.
ResidualBirths pick_births(Context&, const VolumeGrid&, const ResidualScores&, int min_views, std::size_t max_count);

}  // namespace dsasrgs
