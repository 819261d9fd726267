// SPDX-License-Identifier: Apache-2.0
#include "common/parallel.hpp"
#include "raycast/raycast_bodies.hpp"
#include "raycast/raycast_math.hpp"

namespace dsasrgs::cpu {

void raycast(Context& ctx, const RaycastInput& in, View<float> image) {
  const VolumeGrid& grid = in.grid;
  const std::ptrdiff_t row = grid.size_x, slice = row * grid.size_y;
  const RayVolume volume{in.volume.data(), {grid.size_x, grid.size_y, grid.size_z}, {1, row, slice}};
  const auto voxel_index = [&](Vec3d p) {
    const Vec3d d = p - grid.origin_mm;
    return Vec3d{d.x / grid.spacing_mm.x - 0.5, d.y / grid.spacing_mm.y - 0.5, d.z / grid.spacing_mm.z - 0.5};
  };
  const Vec3d source = voxel_index(in.pose.source_mm);
  const std::size_t width = static_cast<std::size_t>(in.detector.width_px);
  parallel_for(ctx, static_cast<std::size_t>(in.detector.height_px), [&](std::size_t r) {
    for (std::size_t c = 0; c < width; ++c) {
      const Vec2d center_px{static_cast<double>(c) + 0.5, static_cast<double>(r) + 0.5};
      const Vec3d target_mm = detector_point(in.pose, in.detector, center_px);
      const JosephRay ray = joseph_ray(source, voxel_index(target_mm), length(target_mm - in.pose.source_mm), volume);
      image[r * width + c] = joseph_sum<float>(volume, ray);
    }
  });
}

}  // namespace dsasrgs::cpu
