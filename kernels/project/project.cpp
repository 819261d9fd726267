// SPDX-License-Identifier: Apache-2.0
#include "project/project.hpp"

#include "common/checks.hpp"
#include "common/has_cuda.hpp"
#include "project/project_bodies.hpp"

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
  require_size(kOp, "upstream mean_px", 2 * n, upstream.mean_px.size());
  require_size(kOp, "upstream conic", 3 * n, upstream.conic.size());
  require_size(kOp, "upstream amplitude", n, upstream.amplitude.size());
  require_gradient(kOp, gradient, n);
  if (n == 0) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::project_backward(ctx, in, upstream, mode, gradient);
  cpu::project_backward(ctx, in, upstream, mode, gradient);
}

}  // namespace dsasrgs
