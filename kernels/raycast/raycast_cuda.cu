// SPDX-License-Identifier: Apache-2.0
#include "common/launch.cuh"
#include "raycast/raycast_bodies.hpp"
#include "raycast/raycast_math.hpp"

namespace dsasrgs::cuda {

namespace {

/// A warp casts 8 × 4 neighbouring pixels, whose rays stay close together and share the volume's cache lines.
constexpr unsigned kTileWidth = 8, kTileHeight = 16;

/// Source and detector in voxel indices: pixel (r, c) is centred at first + c·per_column + r·per_row.
struct RayFan {
  Vec3d source, first, per_column, per_row;
  Vec3d spacing_mm;
};

/// One thread per pixel. Only the set-up of the ray is in double, which keeps the layers a ray meets the CPU's.
__global__ void __launch_bounds__(kTileWidth* kTileHeight)
    raycast_kernel(RayVolume volume, RayFan fan, int width, int height, float* image) {
  const int column = static_cast<int>(blockIdx.x * kTileWidth + threadIdx.x);
  const int row = static_cast<int>(blockIdx.y * kTileHeight + threadIdx.y);
  if (column >= width || row >= height) return;
  const Vec3d target = fan.first + fan.per_column * column + fan.per_row * row;
  const Vec3d way = target - fan.source;
  const Vec3d way_mm{way.x * fan.spacing_mm.x, way.y * fan.spacing_mm.y, way.z * fan.spacing_mm.z};
  const JosephRay ray = joseph_ray(fan.source, target, length(way_mm), volume);
  image[static_cast<std::size_t>(row) * width + column] = joseph_sum<float>(volume, ray);
}

}  // namespace

void raycast(Context& ctx, const RaycastInput& in, View<float> image) {
  const VolumeGrid& grid = in.grid;
  const std::ptrdiff_t row = grid.size_x, slice = row * grid.size_y;
  const RayVolume volume{in.volume.data(), {grid.size_x, grid.size_y, grid.size_z}, {1, row, slice}};
  const auto in_voxels = [&](Vec3d d) {
    return Vec3d{d.x / grid.spacing_mm.x, d.y / grid.spacing_mm.y, d.z / grid.spacing_mm.z};
  };
  const Vec3d half{0.5, 0.5, 0.5};
  RayFan fan;
  fan.source = in_voxels(in.pose.source_mm - grid.origin_mm) - half;
  fan.first = in_voxels(detector_point(in.pose, in.detector, {0.5, 0.5}) - grid.origin_mm) - half;
  fan.per_column = in_voxels(in.pose.detector_u * in.detector.pitch_u_mm);
  fan.per_row = in_voxels(in.pose.detector_v * in.detector.pitch_v_mm);
  fan.spacing_mm = grid.spacing_mm;
  const int width = in.detector.width_px, height = in.detector.height_px;
  const auto tiles = [](int pixels, unsigned tile) { return (static_cast<unsigned>(pixels) + tile - 1) / tile; };
  launch(ctx, "raycast", {dim3(tiles(width, kTileWidth), tiles(height, kTileHeight)), dim3(kTileWidth, kTileHeight)},
         raycast_kernel, volume, fan, width, height, image.data());
}

}  // namespace dsasrgs::cuda
