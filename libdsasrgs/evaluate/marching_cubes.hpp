#pragma once
// Vertices of the isosurface of a volume.

#include <span>
#include <vector>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

/// World positions [mm] of the vertices that marching cubes (Lorensen and Cline 1987) places on the surface
/// volume = threshold: on each edge between neighbouring voxel centres of which one is above the threshold and the
/// other not, where linear interpolation along the edge meets the threshold. Triangles are not built: no distance needs
/// them. Ordered by voxel, then by axis. The volume [z,y,x] must be finite and of the grid's size.
std::vector<Vec3d> isosurface_vertices(std::span<const float> volume, const VolumeGrid&, double threshold);

}  // namespace dsasrgs
