// SPDX-License-Identifier: Apache-2.0
#pragma once
// Polylines of VTK's files, however they are stored.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "dsasrgs/math.hpp"

namespace dsasrgs {

struct Polylines {
  std::vector<Vec3d> points;
  std::vector<std::size_t> end;  ///< of each line in `point`
  std::vector<int> point;
  std::vector<double> radius_mm;  ///< of each point; empty: the file has none
};

/// The names under which VMTK (first) and its module of 3D Slicer keep the radius of a point.
inline bool is_radius_name(std::string_view name) { return name == "MaximumInscribedSphereRadius" || name == "Radius"; }

/// Appends what arrays of numbers say: points [n,3], the lines' ends in `connectivity`, which are indices of these
/// points, and radii [n] or none. Throws BadInput with `file` and the part that is wrong.
void add_polylines(const std::string& file, const std::vector<double>& points, const std::vector<double>& ends,
                   const std::vector<double>& connectivity, const std::vector<double>& radii, Polylines&);

/// A legacy file in binary form, versions 2 to 5.1. Throws IoError, BadInput.
Polylines read_binary_vtk(const std::filesystem::path&);

/// An XML file (.vtp): text, binary or appended data, plain or compressed by zlib. Throws IoError, BadInput;
/// BackendUnavailable where the build has no pugixml.
Polylines read_vtp(const std::filesystem::path&);

}  // namespace dsasrgs
