// SPDX-License-Identifier: Apache-2.0
#pragma once
// What R²-Gaussian's folders and NAF's pickles have in common: a circular cone-beam scan described as TIGRE's users do.

#include <array>
#include <string>
#include <vector>

#include "import/imported_case.hpp"

namespace dsasrgs {

/// Lengths in `unit_mm`. Axes of detectors are (rows, columns), of volumes (x, y, z).
struct CircularScan {
  double unit_mm = 1;
  double dsd = 0, dso = 0;
  std::array<int, 2> detector_size{};
  std::array<double, 2> detector_pitch{};
  std::array<double, 2> detector_offset{};  ///< (along columns: u, along the axis of rotation: +z)
  std::array<int, 3> volume_size{};
  std::array<double, 3> volume_spacing{}, volume_center{};
  std::vector<double> angle_rad;   ///< [V] source at (cos, sin, 0)·dso
  std::vector<bool> is_test;       ///< [V]
  std::vector<float> projections;  ///< [V,H,W], row 0 on top (+z)
  std::vector<float> volume;       ///< [x,y,z] 1/unit, or empty
};

/// Views are put in the order of their angles. The scan's object is still: all views are of 0 s unless a duration is
/// asked for.
ImportedCase circular_case(const std::string& name, CircularScan&&, const ImportOptions&);

}  // namespace dsasrgs
