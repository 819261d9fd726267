// SPDX-License-Identifier: Apache-2.0
#pragma once
// One voxel of a residual back-projection.

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "dsasrgs/math.hpp"
#include "project/project_math.hpp"
#include "residual/residual.hpp"

namespace dsasrgs {

/// Something linear in the voxel indices.
template <class T>
struct LinearInVoxel {
  T first;
  Vec3<T> step;
  DSASRGS_HD T at(Vec3<T> index) const { return first + dot(step, index); }
};

/// Projection of voxel centres: column = u / z + principal_u. Made in double and rounded once.
template <class T>
struct VoxelProjection {
  LinearInVoxel<T> z, u, v;
  T principal_u_px, principal_v_px, nearest_z;
};

inline VoxelProjection<float> voxel_projection(const VolumeGrid& grid, const Pose& pose, const Detector& detector) {
  const ProjectionConstants<double> view = projection_constants(pose, detector, {0, 1}, false);
  const Vec3d s = grid.spacing_mm, first = grid.origin_mm + s * 0.5 - view.source_mm;
  const auto linear = [&](Vec3d axis) {
    return LinearInVoxel<float>{
        static_cast<float>(dot(axis, first)),
        {static_cast<float>(axis.x * s.x), static_cast<float>(axis.y * s.y), static_cast<float>(axis.z * s.z)}};
  };
  return {linear(view.normal),
          linear(view.axis_u),
          linear(view.axis_v),
          static_cast<float>(view.principal_u_px),
          static_cast<float>(view.principal_v_px),
          static_cast<float>(view.nearest_z)};
}

struct ResidualImage {
  int width_px, height_px;
  const float *measured, *rendered;
  const std::uint8_t* valid;  ///< null: all
};

/// Two neighbouring pixels and the weight of the second, for a position inside [0, size).
struct PixelPair {
  int first, second;
  float weight;
};
DSASRGS_HD inline PixelPair pixel_pair(float position, int size) {
  // Of the centre before the position, −1 in the first half.
  const int below = static_cast<int>(floorf(position + 0.5f)) - 1;
  const float weight = position - (static_cast<float>(below) + 0.5f);
  return {below < 0 ? 0 : below, below + 1 < size ? below + 1 : size - 1, weight};
}

/// Whether the view sees voxel (x, y, z), and if so its residual there.
DSASRGS_HD inline bool residual_at(const VoxelProjection<float>& view, const ResidualImage& image, Vec3f voxel,
                                   float& residual) {
  const float z = view.z.at(voxel);
  if (!(z > view.nearest_z)) return false;
  const float column = view.u.at(voxel) / z + view.principal_u_px, row = view.v.at(voxel) / z + view.principal_v_px;
  if (!(column >= 0 && row >= 0 && column < static_cast<float>(image.width_px) &&
        row < static_cast<float>(image.height_px)))
    return false;
  const PixelPair c = pixel_pair(column, image.width_px), r = pixel_pair(row, image.height_px);
  const std::size_t width = static_cast<std::size_t>(image.width_px);
  const std::size_t upper = static_cast<std::size_t>(r.first) * width,
                    lower = static_cast<std::size_t>(r.second) * width;
  const std::size_t pixel[4] = {upper + static_cast<std::size_t>(c.first), upper + static_cast<std::size_t>(c.second),
                                lower + static_cast<std::size_t>(c.first), lower + static_cast<std::size_t>(c.second)};
  float value[4];
  for (int k = 0; k < 4; ++k) {
    if (image.valid != nullptr && image.valid[pixel[k]] == 0) return false;
    const float difference = image.measured[pixel[k]] - image.rendered[pixel[k]];
    value[k] = difference > 0 && std::isfinite(difference) ? difference : 0.0f;
  }
  const float above = value[0] + c.weight * (value[1] - value[0]), below = value[2] + c.weight * (value[3] - value[2]);
  residual = above + r.weight * (below - above);
  return true;
}

/// What this view makes of one voxel.
DSASRGS_HD inline void add_view(const VoxelProjection<float>& view, const ResidualImage& image, Vec3f voxel,
                                float& score, std::uint32_t& seen) {
  float residual;
  if (!residual_at(view, image, voxel, residual)) return;
  score = seen == 0 || residual < score ? residual : score;
  ++seen;
}

DSASRGS_HD inline bool is_candidate(float score, std::uint32_t seen, std::uint32_t min_views) {
  return seen >= min_views && score > 0;
}

/// Indices of a voxel; rows are along x.
struct VoxelIndex {
  std::uint32_t x, y, z;
};
DSASRGS_HD inline VoxelIndex voxel_index(std::uint32_t voxel, std::uint32_t size_x, std::uint32_t size_y) {
  const std::uint32_t row = voxel / size_x;
  return {voxel - row * size_x, row % size_y, row / size_y};
}

/// Centre of a voxel; in double, so that every backend rounds to the same float.
DSASRGS_HD inline void write_center(const VolumeGrid& grid, std::uint32_t voxel, float* position_mm) {
  const VoxelIndex i =
      voxel_index(voxel, static_cast<std::uint32_t>(grid.size_x), static_cast<std::uint32_t>(grid.size_y));
  const Vec3f center = grid.center_mm(static_cast<int>(i.x), static_cast<int>(i.y), static_cast<int>(i.z)).as<float>();
  position_mm[0] = center.x;
  position_mm[1] = center.y;
  position_mm[2] = center.z;
}

}  // namespace dsasrgs
