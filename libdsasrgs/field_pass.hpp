// SPDX-License-Identifier: Apache-2.0
#pragma once
// The attenuation of every Gaussian at one time, and the way back.

#include "dsasrgs/attenuation_field.hpp"
#include "hash_grid/hash_grid.hpp"
#include "mlp/mlp.hpp"

namespace dsasrgs {

/// Gradients that FieldPass::backward gives.
struct FieldGradient {
  HashGridScratch& tables;  ///< of the 3D and the 4D grid, for the optimiser to take; unused but for `neural`
  View<float> network;      ///< accumulated into; unused but for `neural`
  View<float> position_mm;  ///< [N,3], accumulated into: dL/dμ through the field
  View<float> attenuation;  ///< [N,K], overwritten
};

/// Keeps what the way back needs of the way there, and scratch memory.
class FieldPass {
 public:
  /// density [N] ← ρ_i(time), 1/mm; time in [0,1] (model time, see TimeRange). Overwritten.
  void forward(Context&, const AttenuationField&, const GaussianCloud&, float time, View<float> density);
  /// VJP of the last forward(), at the same field and cloud. grad_density [N].
  void backward(Context&, const AttenuationField&, const GaussianCloud&, View<const float> grad_density,
                const FieldGradient&);

 private:
  Buffer<float> features_, grad_features_;  // [F,N]
  MlpScratch network_scratch_;
  float time_ = 0;
};

}  // namespace dsasrgs
