// SPDX-License-Identifier: Apache-2.0
#pragma once
// RTK's geometry files.

#include <filesystem>
#include <string>
#include <vector>

#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

/// Where source and detector of one projection are, in our axes.
struct RtkView {
  Vec3d source_mm;
  Vec3d detector_origin_mm;  ///< point (0, 0) of the projection's own coordinates
  Vec3d u, v;                ///< their axes
  double largest_angle_rad;  ///< of the three that the file gives
};

/// Reads an XML file of RTK's ThreeDCircularProjectionGeometry. `warnings`: what it has that is left alone. Throws
/// BadInput for parallel beams, cylindrical detectors, and matrices that disagree with the parameters beside them;
/// BackendUnavailable where the build has no pugixml.
std::vector<RtkView> read_rtk_geometry(const std::filesystem::path&, std::vector<std::string>& warnings);

}  // namespace dsasrgs
