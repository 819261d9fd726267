// SPDX-License-Identifier: Apache-2.0
#pragma once
// A random cloud of Gaussians, its buffers in a context's memory, and its projection.

#include <cstddef>
#include <vector>

#include "dsasrgs/buffer.hpp"
#include "project/project.hpp"
#include "support/random_values.hpp"

namespace dsasrgs::test {

struct TestCloud {
  std::vector<float> position_mm, raw_scale, rotation, density;
  ScaleBounds bounds;

  std::size_t size() const { return density.size(); }
  void place(std::size_t i, Vec3d p) {
    position_mm[3 * i] = static_cast<float>(p.x);
    position_mm[3 * i + 1] = static_cast<float>(p.y);
    position_mm[3 * i + 2] = static_cast<float>(p.z);
  }
  /// Position, raw scale, quaternion and density of one Gaussian.
  std::vector<double> parameters(std::size_t i) const {
    std::vector<double> x;
    for (std::size_t k = 0; k < 3; ++k) x.push_back(static_cast<double>(position_mm[3 * i + k]));
    for (std::size_t k = 0; k < 3; ++k) x.push_back(static_cast<double>(raw_scale[3 * i + k]));
    for (std::size_t k = 0; k < 4; ++k) x.push_back(static_cast<double>(rotation[4 * i + k]));
    x.push_back(static_cast<double>(density[i]));
    return x;
  }
};

/// n Gaussians in a cube of ±half_side_mm with raw scales in ±3, any rotation and densities of 0.01–0.05 /mm.
inline TestCloud random_cloud(std::size_t n, ScaleBounds bounds, float half_side_mm, std::uint32_t seed) {
  return {random_values(3 * n, -half_side_mm, half_side_mm, seed), random_values(3 * n, -3.0f, 3.0f, seed + 1),
          random_values(4 * n, -1.0f, 1.0f, seed + 2), random_values(n, 0.01f, 0.05f, seed + 3), bounds};
}

struct CloudOnDevice {
  CloudOnDevice(Context& ctx, const TestCloud& c)
      : position(Buffer<float>::from_host(ctx, c.position_mm)),
        raw_scale(Buffer<float>::from_host(ctx, c.raw_scale)),
        rotation(Buffer<float>::from_host(ctx, c.rotation)),
        density(Buffer<float>::from_host(ctx, c.density)) {}
  GaussianView view(ScaleBounds bounds) const { return {position, raw_scale, rotation, bounds}; }
  Buffer<float> position, raw_scale, rotation, density;
};

struct CloudGradient {
  CloudGradient(Context& ctx, std::size_t n, float start)
      : position(Buffer<float>::from_host(ctx, std::vector<float>(3 * n, start))),
        raw_scale(Buffer<float>::from_host(ctx, std::vector<float>(3 * n, start))),
        rotation(Buffer<float>::from_host(ctx, std::vector<float>(4 * n, start))),
        density(Buffer<float>::from_host(ctx, std::vector<float>(n, start))) {}
  GaussianGradient view() { return {position, raw_scale, rotation, density}; }
  Buffer<float> position, raw_scale, rotation, density;
};

/// What project_forward makes of a cloud.
struct ProjectedCloud {
  ProjectedCloud(Context& ctx, const TestCloud& cloud, const Pose& pose, const Detector& detector, bool footprint)
      : mean_px(ctx, 2 * cloud.size()),
        conic(ctx, 3 * cloud.size()),
        amplitude(ctx, cloud.size()),
        box(ctx, cloud.size()) {
    const CloudOnDevice device(ctx, cloud);
    project_forward(ctx, {device.view(cloud.bounds), device.density, pose, detector, footprint}, output());
  }
  ProjectOutput output() { return {mean_px, conic, amplitude, box}; }
  Buffer<float> mean_px, conic, amplitude;
  Buffer<PixelBox> box;
};

}  // namespace dsasrgs::test
