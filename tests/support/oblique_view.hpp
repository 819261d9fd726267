// SPDX-License-Identifier: Apache-2.0
#pragma once
// A view in which no axis is aligned with another, for tests of what depends on a view.

#include <cmath>

#include "dsasrgs/geometry.hpp"

namespace dsasrgs::test {

/// A view whose detector is shifted, tilted against the central ray and has different pitches; `mirrored` flips û.
inline Pose oblique_pose(bool mirrored) {
  CArmView view;
  view.primary_rad = 0.7;
  view.secondary_rad = -0.4;
  view.offset_u_mm = 12;
  view.offset_v_mm = -7;
  Pose pose = carm_pose(view, 0);
  // Tilt by 0.1 rad about v.
  const Vec3d n = cross(pose.detector_u, pose.detector_v);
  pose.detector_u = pose.detector_u * std::cos(0.1) + n * std::sin(0.1);
  if (mirrored) pose.detector_u = -pose.detector_u;
  return pose;
}
inline const Detector kDetector{200, 160, 0.9, 1.1};

}  // namespace dsasrgs::test
