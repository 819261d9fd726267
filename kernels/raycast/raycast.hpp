// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Cone-beam forward projection of a voxel volume: the reference projector for volumes (FDK baseline, simulation from
/// volumes, checks of the rasteriser).

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

struct RaycastInput {
  View<const float> volume;  ///< [z,y,x] 1/mm, samples at voxel centres, 0 outside
  VolumeGrid grid;
  Pose pose;
  Detector detector;
};

/// image [H,W] ← ∫ volume along the ray from the source to each pixel centre (dimensionless), overwritten.
/// Joseph's method: one sample per voxel layer along the ray's dominant axis (the one it crosses most layers of),
/// bilinear in the layer, times the path length between layers (Joseph 1982). Outside the grid's voxel centres the
/// samples fall linearly to 0 within one voxel. Layers behind the source or behind the detector do not count.
/// Deterministic. An empty volume gives image = 0. Throws InvalidArgument when sizes disagree, a spacing or pitch is
/// not positive or the pose is not finite.
void raycast(Context&, const RaycastInput&, View<float> image);

}  // namespace dsasrgs
