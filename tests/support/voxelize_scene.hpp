// SPDX-License-Identifier: Apache-2.0
#pragma once
// Clouds of Gaussians on the host, and the voxeliser applied to them.

#include <vector>

#include "oracle/voxelize_oracle.hpp"
#include "support/context.hpp"
#include "support/random_values.hpp"
#include "voxelize/voxelize.hpp"
#include "voxelize/voxelize_math.hpp"

namespace dsasrgs::test {

/// A cloud on the host with its grid.
struct Scene {
  std::vector<float> position, raw_scale, rotation, density;
  ScaleBounds bounds{0.2f, 4.0f};
  VolumeGrid grid{21, 18, 23, {1.0, 0.8, 1.25}, {-10, -7, -14}};

  std::size_t size() const { return density.size(); }
  OracleGaussian oracle(std::size_t i) const {
    return {position[3 * i],      position[3 * i + 1],  position[3 * i + 2], raw_scale[3 * i],
            raw_scale[3 * i + 1], raw_scale[3 * i + 2], rotation[4 * i],     rotation[4 * i + 1],
            rotation[4 * i + 2],  rotation[4 * i + 3],  density[i]};
  }
  std::vector<OracleGaussian> oracle() const {
    std::vector<OracleGaussian> all;
    for (std::size_t i = 0; i < size(); ++i) all.push_back(oracle(i));
    return all;
  }
  void add(Vec3d mean, float scale_mm, float rho) {
    const float raw = raw_scale_from(scale_mm, bounds.min_mm, bounds.max_mm);
    for (const double v : {mean.x, mean.y, mean.z}) position.push_back(static_cast<float>(v));
    raw_scale.insert(raw_scale.end(), 3, raw);
    rotation.insert(rotation.end(), {1, 0, 0, 0});
    density.push_back(rho);
  }
};

/// n Gaussians in and around the box, of all shapes the bounds allow.
inline Scene random_scene(std::size_t n, std::uint32_t seed) {
  Scene s;
  s.position = test::random_values(3 * n, -15.0f, 15.0f, seed);
  s.raw_scale = test::random_values(3 * n, -5.0f, 1.0f, seed + 1);
  s.rotation = test::random_values(4 * n, -1.0f, 1.0f, seed + 2);
  s.density = test::random_values(n, -0.5f, 1.0f, seed + 3);
  return s;
}

struct DeviceScene {
  Buffer<float> position, raw_scale, rotation, density;
  VoxelizeInput input;
  DeviceScene(Context& ctx, const Scene& s)
      : position(Buffer<float>::from_host(ctx, s.position)),
        raw_scale(Buffer<float>::from_host(ctx, s.raw_scale)),
        rotation(Buffer<float>::from_host(ctx, s.rotation)),
        density(Buffer<float>::from_host(ctx, s.density)),
        input{{position, raw_scale, rotation, s.bounds}, density, s.grid} {}
};

inline std::vector<float> forward(Context& ctx, const Scene& s) {
  const DeviceScene device(ctx, s);
  Buffer<float> volume = Buffer<float>::from_host(ctx, std::vector<float>(s.grid.num_voxels(), 7.0f));
  voxelize_forward(ctx, device.input, volume);
  return volume.to_host(ctx);
}

inline std::vector<float> forward(const Scene& s, int threads = 2) {
  Context ctx = test::make_context(threads);
  return forward(ctx, s);
}

/// Gradients in the order of OracleGaussian, [N,11].
inline std::vector<float> backward(Context& ctx, const Scene& s, const std::vector<float>& grad_volume,
                                   GradientMode mode = GradientMode::overwrite, float before = 9.0f) {
  const std::size_t n = s.size();
  const DeviceScene device(ctx, s);
  const Buffer<float> g = Buffer<float>::from_host(ctx, grad_volume);
  const auto filled = [&](std::size_t size) { return Buffer<float>::from_host(ctx, std::vector<float>(size, before)); };
  Buffer<float> position = filled(3 * n), raw_scale = filled(3 * n), rotation = filled(4 * n), density = filled(n);
  voxelize_backward(ctx, device.input, g, mode, {position, raw_scale, rotation, density});
  const std::vector<float> p = position.to_host(ctx), c = raw_scale.to_host(ctx), r = rotation.to_host(ctx),
                           d = density.to_host(ctx);
  std::vector<float> all;
  for (std::size_t i = 0; i < n; ++i) {
    all.insert(all.end(), p.begin() + 3 * i, p.begin() + 3 * i + 3);
    all.insert(all.end(), c.begin() + 3 * i, c.begin() + 3 * i + 3);
    all.insert(all.end(), r.begin() + 4 * i, r.begin() + 4 * i + 4);
    all.push_back(d[i]);
  }
  return all;
}

inline std::vector<float> backward(const Scene& s, const std::vector<float>& grad_volume, int threads = 2,
                                   GradientMode mode = GradientMode::overwrite, float before = 9.0f) {
  Context ctx = test::make_context(threads);
  return backward(ctx, s, grad_volume, mode, before);
}

}  // namespace dsasrgs::test
