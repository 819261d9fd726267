// SPDX-License-Identifier: Apache-2.0
#pragma once
// A sweep over four Gaussian blobs, whose line integrals are known exactly: a well-formed acquisition to spoil.

#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

#include "dsasrgs/acquisition.hpp"

namespace dsasrgs::test {

/// Exact line integrals of the blobs, from source to the centres of the pixels; lengths times `unit_mm`.
inline std::vector<float> blob_projections(const std::vector<Pose>& poses, const Detector& detector,
                                           double unit_mm = 1) {
  struct Blob {
    Vec3d center;
    double sigma, peak;
  };
  const Blob blobs[] = {
      {{30, 10, 18}, 4, 0.030}, {{-22, 35, -9}, 3, 0.040}, {{8, -41, 27}, 3.5, 0.035}, {{-14, -17, -33}, 5, 0.025}};
  std::vector<float> values;
  for (const Pose& pose : poses)
    for (int row = 0; row < detector.height_px; ++row)
      for (int column = 0; column < detector.width_px; ++column) {
        const Vec3d ray = normalized(detector_point(pose, detector, {column + 0.5, row + 0.5}) - pose.source_mm);
        double sum = 0;
        for (const Blob& blob : blobs) {
          const Vec3d w = blob.center * unit_mm - pose.source_mm;
          const double along = dot(w, ray), squared = dot(w, w) - along * along, sigma = blob.sigma * unit_mm;
          sum += blob.peak * std::sqrt(2 * std::numbers::pi) * blob.sigma * std::exp(-squared / (2 * sigma * sigma));
        }
        values.push_back(static_cast<float>(sum));
      }
  return values;
}

/// `num_views` views over `arc_rad`, 40 × 40 pixels of 7.7 mm, 1200 mm from the source, and a volume of 160 mm.
inline Acquisition blob_sweep(int num_views = 40, double arc_rad = 200 * std::numbers::pi / 180) {
  Acquisition a;
  a.name = "blobs";
  a.detector = {40, 40, 7.7, 7.7};
  a.volume = {32, 32, 32, {5, 5, 5}, {-80, -80, -80}};
  a.poses = circular_poses({.num_views = num_views, .arc_rad = arc_rad, .view = {}});
  a.projections = blob_projections(a.poses, a.detector);
  return a;
}

}  // namespace dsasrgs::test
