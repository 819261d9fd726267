// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where Gaussians are to be born: voxels that the training views agree to lack attenuation in (DSA-SRGS, method.md
// section 3).

#include <cstddef>
#include <functional>
#include <vector>

#include "dsasrgs/config.hpp"
#include "dsasrgs/geometry.hpp"
#include "residual/residual.hpp"

namespace dsasrgs {

/// A place for a new Gaussian.
struct GaussianBirth {
  Vec3f position_mm;
  float score;  ///< dimensionless: line integral that every view of a window misses there
};

/// A training view: what was measured, and what the model renders on the same detector.
struct ResidualView {
  Pose pose;
  View<const float> measured, rendered;  ///< [H,W]
  View<const std::uint8_t> valid;        ///< [H,W]; empty: all count
};

/// Voxels of the volume as large as a low-resolution voxel, but not finer than the volume's own, nor more than 2^24
/// (128 MiB of scores).
VolumeGrid residual_grid(const VolumeGrid& volume, double low_resolution_voxel_mm);

/// Voxels of the grid with the largest scores, `max_count` at most, ties by position in the grid. The score of a voxel
/// is the largest over all windows of consecutive views of the smallest positive residual within the window
/// (residual_score_add). Windows are `config.window` of the views long and overlap by half; in each, config.min_views
/// (at most the window) must see the voxel. `views` in order of time.
std::vector<GaussianBirth> find_residual_births(Context&, const ResidualBirthsConfig&, const VolumeGrid& grid,
                                                const Detector&, const std::vector<ResidualView>& views,
                                                std::size_t max_count);

}  // namespace dsasrgs
