// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// The cloud of Gaussians: structure of arrays, raw (unconstrained) parameters.

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/export.hpp"

namespace DSASRGS_API dsasrgs {

/// Bounds of a Gaussian's standard deviation along each of its axes (4DRGS, bounded scaling):
/// scale_mm = min_mm + (max_mm − min_mm)·sigmoid(raw).
struct ScaleBounds {
  float min_mm = 0;
  float max_mm = 0;
};

/// Read-only view of a cloud, trivially copyable. N = position_mm.size() / 3.
struct GaussianView {
  View<const float> position_mm;  ///< [N,3]
  View<const float> raw_scale;    ///< [N,3], see ScaleBounds
  View<const float> rotation;     ///< [N,4] quaternion w,x,y,z, normalised where it is used; not zero
  ScaleBounds bounds;             ///< of all scales
  /// N.
  std::size_t size() const { return position_mm.size() / 3; }
};

/// Owns the Gaussians' geometry and, for the attenuation models that keep numbers per Gaussian, those too.
struct GaussianCloud {
  Buffer<float> position_mm;  ///< [N,3]
  Buffer<float> raw_scale;    ///< [N,3]
  Buffer<float> rotation;     ///< [N,4] w,x,y,z
  Buffer<float> attenuation;  ///< [N,K] raw coefficients of the attenuation model; K = 0 for `neural`, 1 for `static`,
                              ///< 6 for `offset-table`
  ScaleBounds bounds;         ///< of all scales

  /// N.
  std::size_t size() const { return position_mm.size() / 3; }
  /// Of the geometry; good while the cloud is not changed.
  GaussianView view() const { return {position_mm, raw_scale, rotation, bounds}; }
};

}  // namespace dsasrgs
