// SPDX-License-Identifier: Apache-2.0
#include "project/project.hpp"

#include <algorithm>
#include <cmath>

#include "common/checks.hpp"
#include "common/has_cuda.hpp"
#include "project/project_bodies.hpp"
#include "project/project_pose_math.hpp"

namespace dsasrgs {

namespace {

/// Number of Gaussians.
std::size_t check_input(const char* op, const ProjectInput& in, bool needs_density) {
  const std::size_t n = in.gaussians.size();
  require_cloud(op, in.gaussians);
  if (needs_density || !in.density.empty()) require_size(op, "density", n, in.density.size());
  require_detector(op, in.detector);
  require_pose(op, in.pose);
  return n;
}

void check_upstream(const char* op, const ProjectUpstream& upstream, std::size_t n) {
  require_size(op, "upstream mean_px", 2 * n, upstream.mean_px.size());
  require_size(op, "upstream conic", 3 * n, upstream.conic.size());
  require_size(op, "upstream amplitude", n, upstream.amplitude.size());
}

void check_tangent(const char* op, const char* what, Vec3d v) {
  require(std::isfinite(v.x) && std::isfinite(v.y) && std::isfinite(v.z), op, "tangent ", what,
          ": expected finite numbers, found (", v.x, ", ", v.y, ", ", v.z, ")");
}

}  // namespace

void project_forward(Context& ctx, const ProjectInput& in, const ProjectOutput& out) {
  constexpr const char* kOp = "project_forward";
  const std::size_t n = check_input(kOp, in, !out.amplitude.empty());
  const auto check_output = [](const char* what, std::size_t expected, std::size_t found) {
    if (found != 0) require_size(kOp, what, expected, found);
  };
  check_output("output mean_px", 2 * n, out.mean_px.size());
  check_output("output conic", 3 * n, out.conic.size());
  check_output("output amplitude", n, out.amplitude.size());
  check_output("output box", n, out.box.size());
  if (n == 0) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::project_forward(ctx, in, out);
  cpu::project_forward(ctx, in, out);
}

void project_backward(Context& ctx, const ProjectInput& in, const ProjectUpstream& upstream, GradientMode mode,
                      const GaussianGradient& gradient) {
  constexpr const char* kOp = "project_backward";
  const std::size_t n = check_input(kOp, in, true);
  check_upstream(kOp, upstream, n);
  require_gradient(kOp, gradient, n);
  if (n == 0) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::project_backward(ctx, in, upstream, mode, gradient);
  cpu::project_backward(ctx, in, upstream, mode, gradient);
}

void project_pose_backward(Context& ctx, const ProjectInput& in, const ProjectUpstream& upstream, PoseScratch& scratch,
                           View<float> sums) {
  constexpr const char* kOp = "project_pose_backward";
  const std::size_t n = check_input(kOp, in, true);
  check_upstream(kOp, upstream, n);
  require_size(kOp, "sums", kPoseSums, sums.size());
  if (n == 0) return zero_bytes(ctx, sums.data(), sums.size() * sizeof(float));
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::project_pose_backward(ctx, in, upstream, scratch, sums);
  cpu::project_pose_backward(ctx, in, upstream, scratch, sums);
}

PoseGradient pose_gradient(const Pose& pose, const Detector& detector, std::span<const float, kPoseSums> sums) {
  require_detector("pose_gradient", detector);
  require_pose("pose_gradient", pose);
  double s[kPoseSums];
  std::copy(sums.begin(), sums.end(), s);
  return projection_constants_vjp(pose, detector, PoseConstants<double>::from(s));
}

void project_pose_forward(Context& ctx, const ProjectInput& in, const PoseTangent& tangent, const ProjectTangent& out) {
  constexpr const char* kOp = "project_pose_forward";
  const std::size_t n = check_input(kOp, in, true);
  check_tangent(kOp, "source_mm", tangent.source_mm);
  check_tangent(kOp, "detector_center_mm", tangent.detector_center_mm);
  check_tangent(kOp, "detector_u", tangent.detector_u);
  check_tangent(kOp, "detector_v", tangent.detector_v);
  require_size(kOp, "output mean_px", 2 * n, out.mean_px.size());
  require_size(kOp, "output conic", 3 * n, out.conic.size());
  require_size(kOp, "output amplitude", n, out.amplitude.size());
  if (n == 0) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::project_pose_forward(ctx, in, tangent, out);
  cpu::project_pose_forward(ctx, in, tangent, out);
}

}  // namespace dsasrgs
