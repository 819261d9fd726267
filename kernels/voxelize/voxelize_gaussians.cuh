// SPDX-License-Identifier: Apache-2.0
#pragma once
// The voxeliser's CUDA set-up: Gaussians in voxel units, as the voxel loops read them.

#include "common/launch.cuh"
#include "voxelize/voxelize_setup.hpp"

namespace dsasrgs::cuda {

/// A Gaussian in units of voxels, see PlacedGaussian. Four 16-byte loads.
struct PackedGaussian {
  float4 first_row;  ///< U00, U01, U02 and U11
  float4 rest;       ///< U12, U22, density, 1/U00
  float4 anchor;     ///< x, y, z; whole numbers
  float4 offset;     ///< x, y, z
};

/// Voxels begin ≤ (x, y, z) < end.
struct VoxelBox {
  int4 begin, end;
};
__device__ inline bool is_empty(const VoxelBox& box) { return box.begin.x >= box.end.x; }

/// Boxes reach a little further than the cut, so that only the distance decides which voxels count and the results
/// do not depend on bricks and chords.
inline constexpr double kBoxCutoff = 1.0001 * static_cast<double>(kCutoff);

/// z = U·(x − μ) and its square, the squared Mahalanobis distance.
struct Whitened {
  float h, b, c, squared;
};
/// Of the voxel (x, y, z). Rounded the same wherever it is inlined, so that both passes agree on a Gaussian's voxels.
__device__ inline Whitened whiten(const PackedGaussian& k, float x, float y, float z) {
  const float dx = (x - k.anchor.x) - k.offset.x, dy = (y - k.anchor.y) - k.offset.y,
              dz = (z - k.anchor.z) - k.offset.z;
  Whitened w;
  w.c = __fmul_rn(k.rest.y, dz);
  w.b = __fmaf_rn(k.first_row.w, dy, __fmul_rn(k.rest.x, dz));
  w.h = __fmaf_rn(k.first_row.x, dx, __fmaf_rn(k.first_row.y, dy, __fmul_rn(k.first_row.z, dz)));
  w.squared = __fmaf_rn(w.h, w.h, __fmaf_rn(w.b, w.b, __fmul_rn(w.c, w.c)));
  return w;
}

__device__ inline bool is_inside(const Whitened& w) { return w.squared <= kCutoff * kCutoff; }

/// exp(−½‖z‖²).
__device__ inline float gaussian(const Whitened& w) {
  constexpr float kMinusHalfLog2E = -0.721347520444481704f;
  return exp2f(kMinusHalfLog2E * w.squared);
}

struct VoxelGaussians {
  Buffer<PackedGaussian> packed;
  Buffer<VoxelBox> boxes;  ///< empty where a Gaussian adds nothing
};
/// `need_density`: Gaussians of density 0 get an empty box.
VoxelGaussians set_up_gaussians(Context&, const VoxelizeInput&, bool need_density);

}  // namespace dsasrgs::cuda
