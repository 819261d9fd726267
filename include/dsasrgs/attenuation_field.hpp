// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// The attenuation models of method.md section 1: the central attenuation ρ_i(t) of every Gaussian.

#include <cstdint>

#include "dsasrgs/config.hpp"
#include "dsasrgs/export.hpp"
#include "dsasrgs/gaussians.hpp"
#include "dsasrgs/geometry.hpp"

namespace DSASRGS_API dsasrgs {

/// Holds what ρ_i(t) = density_scale · f_i(t) [1/mm] is made of, with
///   `static`:  f_i = softplus(attenuation_i), one number per Gaussian;
///   `offset-table`:  f_i(t) = softplus(base_i + table_i at 4t, interpolated linearly), six numbers per Gaussian (after
///              TOGS, whose opacities are not attenuations: docs/method.md section 5);
///   `neural`:  f_i(t) = Φ(H₃D(x_i) ⊕ H₄D(x_i, t)), x_i the Gaussian's mean mapped to [0,1]³ by the volume box
///              (DSA-SRGS eq. 1); Φ ends in FieldConfig::output, which is not negative.
/// density_scale brings f to the order of 1, so that one learning rate serves data of any attenuation scale.
class AttenuationField {
 public:
  /// A field with freshly initialised parameters: tables uniform in ±1e-4, weights He-uniform, the output's bias such
  /// that f is about 1 (so every Gaussian starts visible and can learn). Throws InvalidArgument for impossible sizes,
  /// and for a kind, precision or output that is none of those named.
  AttenuationField(Context&, const FieldConfig&, const VolumeGrid& box, std::int64_t seed);

  /// What it was made with.
  const FieldConfig& config() const { return config_; }
  /// The volume the field is defined on.
  const VolumeGrid& box() const { return box_; }
  /// Coefficients the cloud keeps per Gaussian, K of GaussianCloud::attenuation.
  int coefficients_per_gaussian() const;

  /// The factor from f to 1/mm, which initialisation chooses.
  float density_scale_per_mm() const { return density_scale_per_mm_; }
  void set_density_scale_per_mm(float scale) { density_scale_per_mm_ = scale; }

  /// Trainable parameters shared by all Gaussians, by name; empty but for `neural`.
  struct Parameters {
    Buffer<float> table3d, table4d, network;
  };
  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }

 private:
  FieldConfig config_;
  VolumeGrid box_;
  float density_scale_per_mm_ = 1;
  Parameters parameters_;
};

}  // namespace dsasrgs
