// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Voxeliser: samples the attenuation of a Gaussian cloud at voxel centres.

#include "common/gradient.hpp"
#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

struct VoxelizeInput {
  GaussianView gaussians;
  View<const float> density;  ///< [N] 1/mm
  VolumeGrid grid;
};

///   volume(x) = Σ_i ρ_i · exp(−½ (x−μ_i)ᵀ Σ_i⁻¹ (x−μ_i))     (R²-Gaussian, eq. 3; method.md section 1)
/// A voxel counts iff its centre is within Mahalanobis distance kCutoff. volume [z,y,x], 1/mm, overwritten.
/// A Gaussian with a non-finite position, scale or rotation (or rotation 0) adds nothing. Scratch memory, none per
/// voxel: on the CPU about 130 bytes per Gaussian plus 4 per Gaussian and slab of z; on CUDA about 100 bytes per
/// Gaussian plus some 24 per pair of Gaussian and brick of 8³ voxels, of which at most 64 N + 65536 are held at once
/// (slabs of z, then some Gaussians at a time). Waits for the number of pairs on CUDA. Deterministic for any thread
/// count. N = 0: volume = 0. Throws InvalidArgument when sizes disagree, the grid is empty or has a spacing that is not
/// positive, or (N > 0) the bounds are not 0 < min < max, finite.
void voxelize_forward(Context&, const VoxelizeInput&, View<float> volume);

/// VJP, per Gaussian over its own footprint (ten moments). grad_volume [z,y,x]. Deterministic; same errors. Gaussians
/// that add nothing get gradient 0.
void voxelize_backward(Context&, const VoxelizeInput&, View<const float> grad_volume, GradientMode,
                       const GaussianGradient&);

}  // namespace dsasrgs
