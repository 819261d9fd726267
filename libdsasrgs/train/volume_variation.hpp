// SPDX-License-Identifier: Apache-2.0
#pragma once
// The total-variation term of the training loss (R²-Gaussian; docs/method.md section 5).

#include <cstdint>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/config.hpp"
#include "dsasrgs/geometry.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "tv/tv.hpp"
#include "view_pipeline.hpp"

namespace dsasrgs {

/// The block of a step: at most `side` voxels a side, aligned with the grid's, inside it, every position as likely as
/// any other. Drawn from (seed, step).
VolumeGrid variation_block(const VolumeGrid&, int side, std::int64_t seed, int step);

/// L_tv = tv_weight · TV(σ / a) over variation_block, σ [1/mm] the attenuation at the block's voxel centres, TV as in
/// tv.hpp, a the attenuation that counts as 1 (TrainingUnits): so the term has no unit, like the image loss, and the
/// two keep their proportion at any brightness and in any unit of length.
class VolumeVariation {
 public:
  VolumeVariation(const VolumeGrid& volume, const TrainingUnits& units, const TrainingConfig& config)
      : volume_(volume), weight_mm_(config.tv_weight / units.attenuation_per_mm()), config_(config) {}

  /// Evaluates the term and adds dL_tv/d of position, raw scale, rotation and density (density [N] being that of the
  /// step's time) to gradient. On CUDA it allocates and waits, as the voxeliser does.
  void add_gradient(Context&, const GaussianView&, View<const float> density, int step, ModelGradient&);
  /// The TV of the last evaluation, in the context's memory, and the weight it has in the loss.
  const float* value() const { return saved_.value.data(); }
  double weight_mm() const { return weight_mm_; }

 private:
  VolumeGrid volume_;
  double weight_mm_;
  TrainingConfig config_;
  TotalVariationSaved saved_;
  Buffer<float> block_, grad_block_;
};

}  // namespace dsasrgs
