// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// The surface of a volume, such as the walls of vessels, as triangles for viewers and 3D printing.

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "dsasrgs/export.hpp"
#include "dsasrgs/image.hpp"
#include "dsasrgs/math.hpp"

namespace DSASRGS_API dsasrgs {

/// Triangles between shared vertices.
struct Surface {
  std::vector<Vec3f> vertices_mm;                       ///< world positions
  std::vector<std::array<std::uint32_t, 3>> triangles;  ///< of vertices, anticlockwise seen from the lower values

  bool operator==(const Surface&) const = default;
};

/// Where a volume of one frame crosses the threshold, by marching cubes (Lorensen and Cline 1987) between voxel
/// centres. Faces of cubes with two opposite corners above the threshold are cut so that these corners are apart, on
/// both sides alike: the surface has no holes but where it meets the volume's border. Empty where nothing crosses.
/// Throws InvalidArgument for more frames, sizes that disagree, values or a threshold that are not finite, and more
/// than 2^31 vertices or triangles; OutOfMemory.
Surface extract_surface(const Volume&, double threshold);

/// Files that hold a surface.
enum class SurfaceFormat { stl, ply, obj };
/// The names that surface_format() knows, for messages.
inline constexpr const char* kSurfaceNames = ".stl, .ply or .obj";
/// The format that a file's name asks for: `.stl` (binary), `.ply` (binary, little-endian), `.obj` (text); others none.
std::optional<SurfaceFormat> surface_format(const std::filesystem::path& name);

/// Writes a surface in the format of the file's name, in mm along +x left, +y posterior, +z head; the header says
/// `SPACE=LPS`, which 3D Slicer heeds. Whole or not at all. Throws InvalidArgument for another name, for triangles of
/// vertices that are not there, vertices that are not finite, or none of either; IoError.
void write_surface(const std::filesystem::path&, const Surface&);

}  // namespace dsasrgs
