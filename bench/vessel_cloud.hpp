// SPDX-License-Identifier: Apache-2.0
#pragma once
// Synthetic vessel-like clouds for the benchmarks: Gaussians strung along random, bending tubes.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

#include "common/gaussian_math.hpp"
#include "dsasrgs/gaussians.hpp"
#include "dsasrgs/geometry.hpp"

namespace dsasrgs::bench {

struct VesselCloud {
  std::vector<float> position_mm, raw_scale, rotation, density;
  ScaleBounds bounds{0.03f, 3.0f};
};

/// `num_gaussians` Gaussians along random tubes inside a ball of 60 mm: tube radii 0.3–2.5 mm, Gaussian scales about a
/// third of the radius, twice as long along the tube, 0.03–3 mm; Gaussian order is that of the tubes, then shuffled, as
/// after density control. The same for the same seed.
inline VesselCloud vessel_cloud(std::size_t num_gaussians, unsigned seed = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  const auto random_vector = [&] { return Vec3d{normal(generator), normal(generator), normal(generator)}; };
  constexpr std::size_t kPerTube = 200;
  struct Gaussian {
    Vec3d position, direction;
    double radius_mm;
  };
  std::vector<Gaussian> gaussians;
  while (gaussians.size() < num_gaussians) {
    Vec3d position = normalized(random_vector()) * (60 * std::cbrt(uniform(generator)));
    Vec3d direction = normalized(random_vector());
    // Small vessels are many, large ones few.
    const double radius = 0.09 * std::exp(std::log(28.0) * std::pow(uniform(generator), 2.0));
    for (std::size_t i = 0; i < kPerTube && gaussians.size() < num_gaussians; ++i) {
      direction = normalized(direction + random_vector() * 0.06 - position * (length(position) > 60 ? 0.002 : 0.0));
      position += direction * (0.5 * radius + 0.1);
      gaussians.push_back({position + random_vector() * (0.4 * radius), direction, radius});
    }
  }
  std::shuffle(gaussians.begin(), gaussians.end(), generator);

  VesselCloud cloud;
  for (const Gaussian& k : gaussians) {
    for (const double x : {k.position.x, k.position.y, k.position.z})
      cloud.position_mm.push_back(static_cast<float>(x));
    const double across = 0.35 * k.radius_mm;
    for (const double along : {2.0, 1.0, 1.0}) {
      const double scale = across * along * std::exp(0.3 * normal(generator));
      cloud.raw_scale.push_back(raw_scale_from(static_cast<float>(scale), cloud.bounds.min_mm, cloud.bounds.max_mm));
    }
    // The shortest rotation that takes +x to the tube's direction.
    const Vec3d axis = cross(Vec3d{1, 0, 0}, k.direction);
    const double w = 1 + k.direction.x;
    for (const double q : {w + 1e-6, axis.x, axis.y, axis.z}) cloud.rotation.push_back(static_cast<float>(q));
    cloud.density.push_back(static_cast<float>(0.01 + 0.05 * uniform(generator)));
  }
  return cloud;
}

/// A C-arm view of the isocentre, SOD 750 mm and SDD 1200 mm, on a detector of 315 mm with size_px × size_px pixels.
inline Pose bench_pose() {
  CArmView view;
  view.primary_rad = 0.4;
  return carm_pose(view, 0);
}
inline Detector bench_detector(int size_px) { return {size_px, size_px, 315.0 / size_px, 315.0 / size_px}; }

}  // namespace dsasrgs::bench
