// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Projection of Gaussians onto a flat detector, to the first order in a Gaussian's size.

#include <cstdint>
#include <span>

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

/// Derivatives of a loss by a view's constants (ProjectionConstants, project_math.hpp), summed over all Gaussians:
/// source_mm [3], normal [3], axis_u [3], axis_v [3], principal_u_px, principal_v_px.
inline constexpr int kPoseSums = 14;

/// Memory of project_pose_backward, reused from call to call.
struct PoseScratch {
  Buffer<float> partial;  ///< sums of parts of the cloud
};

/// VJP of project_forward to the constants of the view, by recomputation: sums [kPoseSums], overwritten, which
/// pose_gradient() takes on to the pose. Nobody waits. A Gaussian that project_forward does not project adds nothing,
/// whatever its upstream; the boxes have no derivative. N = 0: zeros. Fixed order of additions: the same bits from run
/// to run and for any thread count. Same errors as project_backward.
void project_pose_backward(Context&, const ProjectInput&, const ProjectUpstream&, PoseScratch&, View<float> sums);

/// Derivatives of a loss by the twelve numbers of a pose, the detector's axes as free vectors: they say nothing of
/// unit length or right angles, which a change of the pose has to keep.
struct PoseGradient {
  Vec3d source_mm, detector_center_mm, detector_u, detector_v;
};
/// VJP of the view's constants to the pose, in double: what the sums of project_pose_backward, on the host, are by the
/// pose they were made with. Throws InvalidArgument when the detector is empty, its pitch is not positive, or the pose
/// is degenerate.
PoseGradient pose_gradient(const Pose&, const Detector&, std::span<const float, kPoseSums> sums);

/// A direction in which a pose moves: its change for one unit of some parameter, the detector's axes as free vectors.
struct PoseTangent {
  Vec3d source_mm, detector_center_mm, detector_u, detector_v;
};
/// The change of project_forward's outputs for one unit of that parameter.
struct ProjectTangent {
  View<float> mean_px;    ///< [N,2]
  View<float> conic;      ///< [N,3]
  View<float> amplitude;  ///< [N]
};
/// JVP of project_forward along a change of the pose, by recomputation. Every output is overwritten, with zeros for a
/// Gaussian that is not projected. Deterministic. N = 0: nothing is written. Throws InvalidArgument as project_backward
/// does, and unless the tangent is finite.
void project_pose_forward(Context&, const ProjectInput&, const PoseTangent&, const ProjectTangent&);

}  // namespace dsasrgs
