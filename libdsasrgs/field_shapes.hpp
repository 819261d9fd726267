// SPDX-License-Identifier: Apache-2.0
#pragma once
// Shapes of the attenuation field, from its configuration.

#include "attenuation/attenuation.hpp"
#include "dsasrgs/config.hpp"
#include "hash_grid/hash_grid.hpp"
#include "mlp/mlp.hpp"

namespace dsasrgs {

inline HashGridShape grid3d_shape(const FieldConfig& c) {
  return {3, c.grid3d.levels, c.grid3d.log2_entries, c.grid3d.base_resolution, c.grid3d.growth};
}
inline HashGridShape grid4d_shape(const FieldConfig& c) {
  return {4, c.grid4d.levels, c.grid4d.log2_entries, c.grid4d.base_resolution, c.grid4d.growth};
}
inline MlpShape network_shape(const FieldConfig& c) {
  const MlpPrecision precision = c.precision == FieldPrecision::bf16 ? MlpPrecision::bf16 : MlpPrecision::fp32;
  const OutputActivation output = c.output == FieldOutput::relu ? OutputActivation::relu : OutputActivation::softplus;
  return {(c.grid3d.levels + c.grid4d.levels) * kHashFeatures,
          c.width,
          c.hidden_layers,
          precision,
          output,
          static_cast<float>(c.output_sharpness)};
}
/// Coefficients that a cloud keeps per Gaussian.
inline int attenuation_coefficients(AttenuationKind kind) {
  switch (kind) {
    case AttenuationKind::constant:
      return 1;
    case AttenuationKind::offset_table:
      return kOffsetTableCoefficients;
    case AttenuationKind::neural:
      break;
  }
  return 0;
}

}  // namespace dsasrgs
