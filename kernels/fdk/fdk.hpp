#pragma once
/// @file
/// Filtered back-projection of cone-beam views (Feldkamp, Davis, Kress 1984), for initialisation and as a baseline.

#include <vector>

#include "dsasrgs/gaussians.hpp"
#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

struct FdkOptions {
  /// Parker weights (Parker 1982) when the views span less than a full turn and at least π + the fan angle, so that
  /// rays seen twice count once. Off, or for a shorter arc: each view counts by its share of the arc.
  bool short_scan_weights = true;
  /// Cut-off of the Hann window on the ramp filter, as a fraction of Nyquist (1: plain Hann, > 1: closer to pure ramp).
  double hann_cutoff = 1.0;
};

struct FdkInput {
  View<const float> projections;   ///< [V,H,W] line integrals
  const std::vector<Pose>& poses;  ///< V poses on an arc; any order, any spacing; the rotation axis is fitted to them
  Detector detector;
  VolumeGrid grid;
};

/// volume [z,y,x] in 1/mm, overwritten, not clipped. Detector offsets, a secondary angle and uneven angular steps are
/// taken into account (cosine weights to the plane of the sources, filter along detector rows with the pitch at the
/// rotation axis, distance weights, per-view share of the arc). Detector rows should run along the arc. Frequencies no
/// view sees stay zero: a constant secondary angle of 10° costs a flat object about 3 % of its mean.
/// Voxels outside a view's detector get nothing from that view.
/// Deterministic for any thread count. Throws InvalidArgument when sizes disagree, the detector, the grid or
/// hann_cutoff is not positive, fewer than 2 views are given, all sources coincide or lie at one angle, a source lies
/// on the rotation axis, a pose is not finite, or a detector is not beyond its source towards the axis.
void fdk_reconstruct(Context&, const FdkInput&, const FdkOptions&, View<float> volume);

}  // namespace dsasrgs
