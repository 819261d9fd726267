// SPDX-License-Identifier: Apache-2.0
#pragma once
// Round Gaussians of one attenuation, and what a detector measures of them.

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "common/gaussian_math.hpp"
#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/renderer.hpp"
#include "support/random_values.hpp"

namespace dsasrgs::test {

inline constexpr float kBlobScale = 0.02f;
inline constexpr ScaleBounds kBlobBounds{0.2f, 12};
inline const VolumeGrid kBlobGrid{20, 20, 20, {4, 4, 4}, {-40, -40, -40}};
inline const Detector kBlobDetector{48, 48, 1.6, 1.6};  // at a magnification of 1.6, 1 mm at the isocentre is 1 pixel

struct Blob {
  Vec3d position_mm;
  double scale_mm;
};

/// Round Gaussians whose attenuation is 0.02·ln(1 + e) 1/mm at all times.
inline Model model_of(Context& ctx, const std::vector<Blob>& blobs, AttenuationKind kind = AttenuationKind::constant) {
  FieldConfig config;
  config.kind = kind;
  AttenuationField field(ctx, config, kBlobGrid, 0);
  field.set_density_scale_per_mm(kBlobScale);
  const std::size_t coefficients = kind == AttenuationKind::constant ? 1 : 6;
  std::vector<float> position, raw, rotation, attenuation;
  for (const Blob& b : blobs) {
    for (const double x : {b.position_mm.x, b.position_mm.y, b.position_mm.z})
      position.push_back(static_cast<float>(x));
    raw.insert(raw.end(), 3, raw_scale_from(static_cast<float>(b.scale_mm), kBlobBounds.min_mm, kBlobBounds.max_mm));
    rotation.insert(rotation.end(), {1, 0, 0, 0});
    attenuation.push_back(1);
    attenuation.insert(attenuation.end(), coefficients - 1, 0);
  }
  GaussianCloud cloud;
  cloud.bounds = kBlobBounds;
  cloud.position_mm = Buffer<float>::from_host(ctx, position);
  cloud.raw_scale = Buffer<float>::from_host(ctx, raw);
  cloud.rotation = Buffer<float>::from_host(ctx, rotation);
  cloud.attenuation = Buffer<float>::from_host(ctx, attenuation);
  return {std::move(cloud), std::move(field), kBlobGrid, {0, 1}, kBlobDetector, false, {}, ""};
}
inline const double kBlobDensity = static_cast<double>(kBlobScale) * std::log(1 + std::exp(1.0));

/// What the model shows, plus or minus `misfit` in every pixel.
inline Acquisition measured(Context& ctx, const Model& model, int num_views, float misfit, bool random_signs,
                            double arc_rad = 3.0) {
  Acquisition a;
  a.name = "measured.h5";
  a.detector = kBlobDetector;
  a.volume = kBlobGrid;
  a.poses = circular_poses({.num_views = num_views, .arc_rad = arc_rad, .duration_s = 1, .view = {}});
  Renderer renderer(ctx, model);
  const auto signs = random_values<float>(static_cast<std::size_t>(num_views) * kBlobDetector.num_pixels(), -1, 1, 5);
  for (const Pose& pose : a.poses)
    for (const float value : renderer.render(pose, kBlobDetector).values)
      a.projections.push_back(value + (random_signs && signs[a.projections.size()] < 0 ? -misfit : misfit));
  return a;
}

}  // namespace dsasrgs::test
