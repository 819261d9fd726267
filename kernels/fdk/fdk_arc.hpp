// SPDX-License-Identifier: Apache-2.0
#pragma once
// The arc of the X-ray source: axis, angles and each view's share, fitted to free poses.

#include <span>

#include "common/host_vector.hpp"
#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

/// One view's place on the arc.
struct ArcView {
  Vec3d toward_axis;     ///< unit vector from the source to the axis, orthogonal to it
  Vec3d tangent;         ///< axis × toward_axis: the direction of positive fan angles
  double radius_mm = 0;  ///< distance of the source from the axis
  double angle_rad = 0;  ///< about the axis, from the first view of the arc
  double share_rad = 0;  ///< part of the arc this view stands for (trapezoid rule)
};

struct SourceArc {
  Vec3d axis;  ///< unit vector
  Vec3d point_on_axis_mm;
  HostVector<ArcView> views;  ///< in the order of the poses
  double span_rad = 0;        ///< Σ share: 2π for a full turn, otherwise the angle from first to last view
  bool full_turn = false;
};

/// Fits the axis (orthogonal to the plane of the sources; where they do not define one, to the detectors' u) and its
/// place (centre of the sources' circle; where they do not define one, nearest to the isocentre).
/// A turn is full when its largest gap is at most 1.5 times the second largest.
/// Throws InvalidArgument with fewer than 2 views, non-finite sources, a source on the axis or all views at one angle.
SourceArc fit_source_arc(std::span<const Pose> poses);

}  // namespace dsasrgs
