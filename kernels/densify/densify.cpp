// SPDX-License-Identifier: Apache-2.0
#include "densify/densify.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "common/checks.hpp"
#include "common/has_cuda.hpp"
#include "densify/densify_bodies.hpp"

namespace dsasrgs {
namespace {

void require_statistics(const char* op, const DensityStatistics& s, std::size_t n) {
  require_size(op, "statistics.gradient_norm", n, s.gradient_norm.size());
  require_size(op, "statistics.density", n, s.density.size());
  require_size(op, "statistics.visible_steps", n, s.visible_steps.size());
  if (s.weighs_pixels()) require_size(op, "statistics.pixels", n, s.pixels.size());
}

void require_control(const char* op, const DensityControl& control) {
  require_count(op, "split_children", control.split_children, 1, std::numeric_limits<std::uint8_t>::max());
  require(control.split_shrink > 0, op, "split_shrink: expected a positive number, found ", control.split_shrink);
  require(control.split_spread >= 0 && std::isfinite(control.split_spread), op,
          "split_spread: expected 0 or more, found ", control.split_spread);
  require(control.random_prune >= 0 && control.random_prune <= 1, op, "random_prune: expected 0 to 1, found ",
          control.random_prune);
}

void require_plan(const char* op, const DensityPlan& plan) {
  require_size(op, "plan.birth", plan.size(), plan.birth.size());
  require_size(op, "plan.child", plan.size(), plan.child.size());
}

}  // namespace

DensityStatistics DensityStatistics::zeros(Context& ctx, std::size_t n, bool pixel_weights) {
  return {Buffer<float>::zeros(ctx, n), Buffer<float>::zeros(ctx, n), Buffer<std::uint32_t>::zeros(ctx, n), 0,
          Buffer<float>::zeros(ctx, pixel_weights ? n : 0)};
}

SplitShape rsd_split(int children) {
  require_count("rsd_split", "children", children, 1);
  const double shrink = std::cbrt(static_cast<double>(children));
  return {static_cast<float>(shrink), static_cast<float>(1 - 1 / (shrink * shrink))};
}

void density_statistics_add(Context& ctx, const Detector& detector, View<const float> grad_mean_px,
                            View<const PixelBox> box, View<const float> density, DensityStatistics& statistics,
                            View<const float> conic) {
  constexpr const char* kOp = "density_statistics_add";
  const std::size_t n = density.size();
  require_size(kOp, "grad_mean_px", 2 * n, grad_mean_px.size());
  require_size(kOp, "box", n, box.size());
  require_statistics(kOp, statistics, n);
  if (statistics.weighs_pixels()) require_size(kOp, "conic", 3 * n, conic.size());
  ++statistics.steps;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda)
      return cuda::density_statistics_add(ctx, detector, grad_mean_px, box, density, conic, statistics);
  cpu::density_statistics_add(ctx, detector, grad_mean_px, box, density, conic, statistics);
}

DensityPlan plan_density_control(Context& ctx, const DensityControl& control, GaussianView gaussians,
                                 const DensityStatistics& statistics) {
  constexpr const char* kOp = "plan_density_control";
  const std::size_t n = gaussians.size();
  require_cloud(kOp, gaussians);
  require_statistics(kOp, statistics, n);
  require_control(kOp, control);
  const Vec3d extent = control.box.extent_mm();
  require(extent.x > 0 && extent.y > 0 && extent.z > 0, kOp, "box: expected a box with positive sides, found ",
          extent.x, " x ", extent.y, " x ", extent.z, " mm");
  const std::size_t most_births = static_cast<std::size_t>(std::max(2, control.split_children));
  require(n <= std::numeric_limits<std::uint32_t>::max() / most_births, kOp,
          "position_mm: expected Gaussians that 32 bits can number, found ", n);
  if (n == 0) return {};
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::plan_density_control(ctx, control, gaussians, statistics);
  return cpu::plan_density_control(ctx, control, gaussians, statistics);
}

void gather_rows(Context& ctx, const DensityPlan& plan, std::span<const RowGather> arrays) {
  constexpr const char* kOp = "gather_rows";
  require_plan(kOp, plan);
  for (const RowGather& a : arrays) {
    require_count(kOp, "width", a.width, 0);
    const std::size_t columns = static_cast<std::size_t>(a.width);
    require_size(kOp, "in", size_product(plan.num_sources, columns), a.in.size());
    require_size(kOp, "out", size_product(plan.size(), columns), a.out.size());
  }
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::gather_rows(ctx, plan, arrays);
  cpu::gather_rows(ctx, plan, arrays);
}

DensityStatistics gather_statistics(Context& ctx, const DensityPlan& plan, const DensityStatistics& statistics) {
  constexpr const char* kOp = "gather_statistics";
  require_statistics(kOp, statistics, plan.num_sources);
  const std::size_t n = plan.size();
  const bool weighs = statistics.weighs_pixels();
  DensityStatistics gathered{Buffer<float>(ctx, n), Buffer<float>(ctx, n), Buffer<std::uint32_t>(ctx, n),
                             statistics.steps, Buffer<float>(ctx, weighs ? n : 0)};
  const RowGather arrays[] = {{1, true, statistics.gradient_norm, gathered.gradient_norm},
                              {1, false, statistics.density, gathered.density},
                              {1, true, statistics.pixels, gathered.pixels}};
  gather_rows(ctx, plan, {arrays, weighs ? std::size_t{3} : std::size_t{2}});
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) {
      cuda::gather_counts(ctx, plan, statistics.visible_steps, gathered.visible_steps);
      return gathered;
    }
  cpu::gather_counts(ctx, plan, statistics.visible_steps, gathered.visible_steps);
  return gathered;
}

void place_children(Context& ctx, const DensityControl& control, const DensityPlan& plan, ScaleBounds bounds,
                    View<float> position_mm, View<float> raw_scale, View<const float> rotation) {
  constexpr const char* kOp = "place_children";
  const std::size_t n = plan.size();
  require_plan(kOp, plan);
  require_cloud(kOp, {position_mm, raw_scale, rotation, bounds}, n);
  require_control(kOp, control);
  if (n == 0) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda)
      return cuda::place_children(ctx, control, plan, bounds, position_mm, raw_scale, rotation);
  cpu::place_children(ctx, control, plan, bounds, position_mm, raw_scale, rotation);
}

void halve_density(Context& ctx, const DensityPlan& plan, View<float> raw) {
  constexpr const char* kOp = "halve_density";
  require_plan(kOp, plan);
  require_size(kOp, "raw", plan.size(), raw.size());
  if (plan.size() == 0) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::halve_density(ctx, plan, raw);
  cpu::halve_density(ctx, plan, raw);
}

}  // namespace dsasrgs
