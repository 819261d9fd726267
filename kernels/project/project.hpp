// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Projection of Gaussians onto a flat detector, to the first order in a Gaussian's size.

#include <cstdint>

#include "common/gradient.hpp"
#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

/// Pixels a Gaussian can touch: columns [x_begin, x_end), rows [y_begin, y_end), inside the image; empty if nothing.
struct alignas(16) PixelBox {  // aligned for one load or store on a GPU
  std::int32_t x_begin, y_begin, x_end, y_end;
  constexpr bool empty() const { return x_begin >= x_end || y_begin >= y_end; }
};

struct ProjectInput {
  GaussianView gaussians;     ///< N Gaussians
  View<const float> density;  ///< [N] central attenuation ρ, 1/mm; may be empty where no amplitude is asked for
  Pose pose;
  Detector detector;
  /// A pixel integrates over its area: Σ₂ ← Σ₂ + I/12 px², the amplitude scaled by sqrt(det Σ₂ / det(Σ₂ + I/12)), so
  /// that the projected mass stays the same (method.md section 1).
  bool pixel_footprint = false;
};

/// A part that is an empty view is skipped.
struct ProjectOutput {
  View<float> mean_px;    ///< [N,2] projected centre, pixels
  View<float> conic;      ///< [N,3] inverse of the 2D covariance: xx, xy, yy, px⁻²
  View<float> amplitude;  ///< [N] ρ·η, dimensionless
  View<PixelBox> box;     ///< [N] exact bounds of the ellipse dᵀQd ≤ kCutoff², clipped to the image
};

/// Gradients that arrive from the rasteriser.
struct ProjectUpstream {
  View<const float> mean_px;    ///< [N,2]
  View<const float> conic;      ///< [N,3]; the xy entry is the derivative for the one stored number
  View<const float> amplitude;  ///< [N]
};

/// Σ̂ = J W Σ Wᵀ Jᵀ with rows d(u)/dx, d(v)/dx and x/‖x‖; Σ₂ its upper-left block (R²-Gaussian, eq. 5–7).
///   conic = Σ₂⁻¹, amplitude = ρ·η, η = sqrt(2π·det Σ̂ / det Σ₂) = √(2π) / ‖S⁻¹ Rᵀ r̂‖ [mm], r̂ = unit ray to the centre.
/// Every output is overwritten; but for the amplitude they do not depend on the density. A Gaussian at or behind the
/// plane through the source parallel to the detector, or closer to it than a thousandth of the source-detector
/// distance, gets amplitude 0 and an empty box (its other outputs are finite) and no gradient. Deterministic. N = 0:
/// nothing is written. Throws InvalidArgument when sizes disagree, the detector is empty, its pitch is not positive, (N
/// > 0) the bounds are not 0 < min < max, finite, or the pose is degenerate.
void project_forward(Context&, const ProjectInput&, const ProjectOutput&);

/// VJP of project_forward to the raw parameters and the density, by recomputation. Deterministic; same errors.
void project_backward(Context&, const ProjectInput&, const ProjectUpstream&, GradientMode, const GaussianGradient&);

}  // namespace dsasrgs
