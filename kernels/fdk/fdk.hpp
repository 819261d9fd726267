// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Filtered back-projection of cone-beam views (Feldkamp, Davis, Kress 1984), for initialisation and as a baseline.

#include <span>

#include "dsasrgs/gaussians.hpp"
#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

struct FdkInput {
  View<const float> projections;  ///< [V,H,W] line integrals
  std::span<const Pose> poses;    ///< V poses on an arc; any order, any spacing; the rotation axis is fitted to them
  Detector detector;
  VolumeGrid grid;
};

/// volume [z,y,x] in 1/mm, overwritten, not clipped. The ramp filter has a Hann window up to Nyquist. Views that span
/// less than a full turn and at least π + the fan angle have Parker weights (Parker 1982), so that rays seen twice
/// count once; in a shorter arc each view counts by its share of it. A full turn with a detector that is shifted along
/// its rows by more than 5 % of its longer side has half-fan weights (Wang 2002), so that rays beyond the shorter side,
/// seen once, count as much as those seen twice. Detector offsets, a secondary angle and uneven angular steps are taken
/// into account (cosine weights to the plane of the sources, filter along detector rows with the pitch at the rotation
/// axis, distance weights, per-view share of the arc). Detector rows should run along the arc. Frequencies no view sees
/// stay zero: a constant secondary angle of 10° costs a flat object about 3 % of its mean. Voxels outside a view's
/// detector get nothing from that view. Deterministic for any thread count. Throws InvalidArgument when sizes disagree,
/// the detector or the grid is empty or not positive, fewer than 2 views are given, all sources coincide or lie at one
/// angle, a source lies on the rotation axis, a pose is not finite, or a detector is not beyond its source towards the
/// axis.
void fdk_reconstruct(Context&, const FdkInput&, View<float> volume);

/// Throws InvalidArgument, "poses: … expected …, found …", where fdk_reconstruct would for where sources and detectors
/// are.
void require_fdk_poses(std::span<const Pose>, const Detector&);

}  // namespace dsasrgs
