// SPDX-License-Identifier: Apache-2.0
#pragma once
// The same scan in another unit of length and at another brightness.

#include "dsasrgs/acquisition.hpp"

namespace dsasrgs::test {

/// Lengths and measured line integrals times a factor each; without references.
inline Acquisition scaled(Acquisition a, double length, float line_integral) {
  for (float& v : a.projections) v *= line_integral;
  a.detector.pitch_u_mm *= length;
  a.detector.pitch_v_mm *= length;
  a.volume.spacing_mm = length * a.volume.spacing_mm;
  a.volume.origin_mm = length * a.volume.origin_mm;
  for (Pose& p : a.poses) {
    p.source_mm = length * p.source_mm;
    p.detector_center_mm = length * p.detector_center_mm;
  }
  a.reference_projections.reset();
  a.reference_volume.reset();
  return a;
}

}  // namespace dsasrgs::test
