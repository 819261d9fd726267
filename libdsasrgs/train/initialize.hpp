// SPDX-License-Identifier: Apache-2.0
#pragma once
// The first model: Gaussians from a filtered back-projection, a fresh field, and one global density scale.

#include "common/host_vector.hpp"
#include "model_parameters.hpp"
#include "train/training_views.hpp"

namespace dsasrgs {

/// New Gaussians on their way to a model: their rows of every array per Gaussian, in host memory.
struct GaussianRows {
  PerParameter<HostVector<float>> of;  ///< of a shared array: empty
  /// An isotropic Gaussian. `relative_density` is the attenuation over the field's density scale; with `coefficients`
  /// per Gaussian it keeps softplus⁻¹ of that (of at least 1e-3), constant in time.
  void add(Vec3f position_mm, float raw_scale, double relative_density, int coefficients);
};

/// Indices of Gaussians along a space-filling curve through the volume (morton_order): the order in which a run keeps
/// them, from its beginning and after every density event, so that neighbours in space share cache lines.
Buffer<std::uint32_t> morton_order_of(Context&, const VolumeGrid& volume, View<const float> position_mm);

/// Model of the training views before the first step (method.md section 2), its Gaussians in that order. The density
/// scale is the least-squares factor between the renders of the training views and their measurements, so training
/// starts at the right brightness. Throws BadInput when the views hold nothing to reconstruct.
Model initial_model(Context&, const TrainingViews&, const Config&);

}  // namespace dsasrgs
