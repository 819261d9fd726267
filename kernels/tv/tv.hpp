// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Total variation of a block of voxels, the regulariser of R²-Gaussian.

#include "common/gradient.hpp"
#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

/// What the forward pass leaves behind; reused from call to call.
struct TotalVariationSaved {
  Buffer<float> value;    ///< [1], where the context's memory is
  Buffer<float> partial;  ///< scratch: sums of parts of the volume
};

///   TV = (Σ |v(x+1,y,z) − v(x,y,z)| + Σ |v(x,y+1,z) − v(x,y,z)| + Σ |v(x,y,z+1) − v(x,y,z)|) / D
/// over the forward differences inside the grid (anisotropic, no padding), D their number,
///   D = (X−1)·Y·Z + X·(Y−1)·Z + X·Y·(Z−1);  TV = 0 for a single voxel.
/// In the volume's unit per voxel step: the spacing is not read. volume [z,y,x]. The value stays in saved.value, so
/// nobody waits. Fixed order of sums: the same bits from run to run and for any thread count. Throws InvalidArgument
/// when sizes disagree or the grid is empty.
void total_variation_forward(Context&, const VolumeGrid&, View<const float> volume, TotalVariationSaved&);

/// The value of the last forward pass, on the host. Waits for it. Throws InvalidArgument when there was none.
float total_variation_value(Context&, const TotalVariationSaved&);

/// grad_volume [z,y,x] ← or += weight · dTV/dvolume; the sign of a difference of 0 is 0. Needs no forward pass, and
/// gives the same bits on every backend. Throws InvalidArgument as the forward pass does.
void total_variation_backward(Context&, const VolumeGrid&, View<const float> volume, float weight, GradientMode,
                              View<float> grad_volume);

}  // namespace dsasrgs
