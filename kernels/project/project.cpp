#include "project/project.hpp"

#include <cmath>

#include "common/has_cuda.hpp"
#include "common/require.hpp"
#include "project/project_bodies.hpp"

namespace dsasrgs {

namespace {

void check_input(const char* op, const ProjectInput& in) {
  const std::size_t n = in.gaussians.size();
  require_size(op, "gaussians.position_mm", 3 * n, in.gaussians.position_mm.size());
  require_size(op, "gaussians.raw_scale", 3 * n, in.gaussians.raw_scale.size());
  require_size(op, "gaussians.rotation", 4 * n, in.gaussians.rotation.size());
  require_size(op, "density", n, in.density.size());

  const ScaleBounds bounds = in.gaussians.bounds;
  require(bounds.min_mm > 0 && bounds.max_mm > bounds.min_mm && std::isfinite(bounds.max_mm), op,
          "gaussians.bounds: expected 0 < min_mm < max_mm, found " + std::to_string(bounds.min_mm) + " and " +
              std::to_string(bounds.max_mm));
  const Detector& d = in.detector;
  require(d.width_px > 0 && d.height_px > 0, op,
          "detector: expected at least 1 x 1 pixels, found " + std::to_string(d.width_px) + " x " +
              std::to_string(d.height_px));
  require(d.pitch_u_mm > 0 && d.pitch_v_mm > 0 && std::isfinite(d.pitch_u_mm) && std::isfinite(d.pitch_v_mm), op,
          "detector: expected a positive pitch, found " + std::to_string(d.pitch_u_mm) + " x " +
              std::to_string(d.pitch_v_mm) + " mm");

  // The volume spanned by û, v̂ and the central ray, relative to its edges: 1 for an upright detector, 0 when the axes
  // are parallel or the source lies in the detector's plane.
  const Vec3d c = in.pose.detector_center_mm - in.pose.source_mm;
  const double edges = length(c) * length(in.pose.detector_u) * length(in.pose.detector_v);
  const double volume = std::abs(dot(c, cross(in.pose.detector_u, in.pose.detector_v)));
  require(std::isfinite(edges) && volume > 1e-6 * edges, op,
          "pose: expected finite, independent detector axes and a source outside the detector's plane, found |c·(u×v)| "
          "= " +
              std::to_string(volume) + " for |c||u||v| = " + std::to_string(edges));
}

}  // namespace

void project_forward(Context& ctx, const ProjectInput& in, const ProjectOutput& out) {
  constexpr const char* kOp = "project_forward";
  check_input(kOp, in);
  const std::size_t n = in.gaussians.size();
  require_size(kOp, "output mean_px", 2 * n, out.mean_px.size());
  require_size(kOp, "output conic", 3 * n, out.conic.size());
  require_size(kOp, "output amplitude", n, out.amplitude.size());
  require_size(kOp, "output box", n, out.box.size());
  if (n == 0) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::project_forward(ctx, in, out);
  cpu::project_forward(ctx, in, out);
}

void project_backward(Context& ctx, const ProjectInput& in, const ProjectUpstream& upstream, GradientMode mode,
                      const GaussianGradient& gradient) {
  constexpr const char* kOp = "project_backward";
  check_input(kOp, in);
  const std::size_t n = in.gaussians.size();
  require_size(kOp, "upstream mean_px", 2 * n, upstream.mean_px.size());
  require_size(kOp, "upstream conic", 3 * n, upstream.conic.size());
  require_size(kOp, "upstream amplitude", n, upstream.amplitude.size());
  require_size(kOp, "gradient position_mm", 3 * n, gradient.position_mm.size());
  require_size(kOp, "gradient raw_scale", 3 * n, gradient.raw_scale.size());
  require_size(kOp, "gradient rotation", 4 * n, gradient.rotation.size());
  require_size(kOp, "gradient density", n, gradient.density.size());
  if (n == 0) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::project_backward(ctx, in, upstream, mode, gradient);
  cpu::project_backward(ctx, in, upstream, mode, gradient);
}

}  // namespace dsasrgs
