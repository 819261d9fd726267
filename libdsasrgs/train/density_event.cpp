// SPDX-License-Identifier: Apache-2.0
#include "train/density_event.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "common/gaussian_math.hpp"
#include "common/require.hpp"
#include "train/initialize.hpp"

namespace dsasrgs {

namespace {

/// Carries out a plan on the Gaussians and their moments, which for births start at zero.
void gather_gaussians(Context& ctx, const DensityPlan& plan, TrainingState& state) {
  struct Compacted {
    Buffer<float>* array;
    Buffer<float> rows;
  };
  std::vector<Compacted> compacted;
  std::vector<RowGather> gathers;
  const auto gather = [&](int width, bool zero_births, Buffer<float>& array) {
    compacted.push_back({&array, Buffer<float>(ctx, plan.size() * static_cast<std::size_t>(width))});
    gathers.push_back({width, zero_births, array, compacted.back().rows});
  };
  Model& model = state.model;
  for (const ParameterInfo& p : kParameters) {
    if (p.per_gaussian == nullptr) continue;
    const int width = p.width(model.field);
    if (width == 0) continue;
    gather(width, false, p.value(model.cloud, model.field));
    gather(width, true, state.optimizer[p.id].first);
    gather(width, true, state.optimizer[p.id].second);
  }
  gather_rows(ctx, plan, gathers);
  for (Compacted& each : compacted) *each.array = std::move(each.rows);
}

/// Gathers the Gaussians by the plan and puts split children in their places.
void apply_plan(Context& ctx, const DensityControl& control, const DensityPlan& plan, TrainingState& state) {
  gather_gaussians(ctx, plan, state);
  GaussianCloud& cloud = state.model.cloud;
  place_children(ctx, control, plan, cloud.bounds, cloud.position_mm, cloud.raw_scale, cloud.rotation);
}

/// What density control and RSD have in common.
DensityControl common_control(const StepSchedule& schedule, const TrainingState& state) {
  DensityControl control;
  control.min_mean_density = schedule.min_mean_density_per_mm;
  control.box = state.model.volume;
  control.max_gaussians = static_cast<std::size_t>(state.config.density_control.max_gaussians);
  control.seed = static_cast<std::uint64_t>(state.config.training.seed);
  control.step = static_cast<std::uint64_t>(state.step);
  return control;
}

/// Every Gaussian kept, and `births` more made from Gaussian `source`.
DensityPlan append_plan(Context& ctx, std::size_t num_gaussians, std::size_t births, std::uint32_t source) {
  HostVector<std::uint32_t> sources(num_gaussians + births, source);
  std::iota(sources.begin(), sources.begin() + static_cast<std::ptrdiff_t>(num_gaussians), 0u);
  HostVector<Birth> birth(num_gaussians + births, Birth::clone);
  std::fill_n(birth.begin(), num_gaussians, Birth::kept);
  DensityPlan plan;
  plan.source = Buffer<std::uint32_t>::from_host(ctx, sources);
  plan.birth = Buffer<Birth>::from_host(ctx, birth);
  plan.child = Buffer<std::uint8_t>::zeros(ctx, sources.size());
  plan.num_sources = num_gaussians;
  return plan;
}

/// Replaces the last rows of an array.
void write_tail(Context& ctx, const HostVector<float>& rows, Buffer<float>& array) {
  copy_bytes_from_host(ctx, array.data() + (array.size() - rows.size()), rows.data(), rows.size() * sizeof(float));
}

}  // namespace

std::size_t run_residual_split(Context& ctx, const StepSchedule& schedule, double voxel_mm, TrainingState& state) {
  // Random numbers are keyed by the step: steps of RSD are numbered past those of density control.
  constexpr std::uint64_t kFirstStepKey = std::uint64_t{1} << 32;
  const ResidualSplitConfig& c = state.config.residual_split;
  DensityControl control =
      common_control(schedule, state);  // its minimum density: not pruned here, but not split either
  control.gradient_threshold = schedule.residual_split_threshold;
  control.split_scale_mm = static_cast<float>(c.min_scale_voxels * voxel_mm);
  const SplitShape shape =
      c.conserve_mass ? rsd_split(c.children) : SplitShape{static_cast<float>(c.shrink), static_cast<float>(c.spread)};
  control.split_shrink = shape.shrink;
  control.split_spread = shape.spread;
  control.split_children = c.children;
  control.clone = control.prune = false;
  control.step += kFirstStepKey;

  DensificationStatistics& statistics = state.statistics;
  const DensityPlan plan = plan_density_control(ctx, control, state.model.cloud.view(), statistics.split);
  apply_plan(ctx, control, plan, state);
  statistics.control = gather_statistics(ctx, plan, statistics.control);
  statistics.split = DensityStatistics::zeros(ctx, plan.size(), state.config.density_control.pixel_weights);
  return plan.split;
}

void run_density_control(Context& ctx, const StepSchedule& schedule, TrainingState& state, DensityEvents& events) {
  const DensityControlConfig& c = state.config.density_control;
  DensityControl control = common_control(schedule, state);
  control.gradient_threshold = static_cast<float>(c.gradient_threshold);
  control.split_scale_mm = schedule.split_voxels * static_cast<float>(state.model.volume.mean_spacing_mm());
  control.split_shrink = static_cast<float>(c.split_shrink);
  control.random_prune = static_cast<float>(c.random_prune);

  DensificationStatistics& statistics = state.statistics;
  const DensityPlan plan = plan_density_control(ctx, control, state.model.cloud.view(), statistics.control);
  apply_plan(ctx, control, plan, state);
  if (c.halve_density) halve_density(ctx, plan, state.model.cloud.attenuation);
  statistics.control = DensityStatistics::zeros(ctx, plan.size(), c.pixel_weights);
  if (statistics.has_split()) statistics.split = gather_statistics(ctx, plan, statistics.split);
  events.cloned = plan.cloned;
  events.split = plan.split;
  events.pruned = plan.pruned;
}

std::size_t append_births(Context& ctx, std::span<const GaussianBirth> births, double voxel_mm, TrainingState& state) {
  if (births.empty()) return 0;
  // Every row of a birth is written below; its source only lends it the density sum that keeps it from being pruned
  // for being young. So it is the Gaussian with the largest.
  DensificationStatistics& statistics = state.statistics;
  Model& model = state.model;
  const std::vector<float> density = statistics.control.density.to_host(ctx);
  const auto densest = static_cast<std::uint32_t>(std::max_element(density.begin(), density.end()) - density.begin());
  const DensityPlan plan = append_plan(ctx, model.cloud.size(), births.size(), densest);
  gather_gaussians(ctx, plan, state);
  statistics.control = gather_statistics(ctx, plan, statistics.control);
  if (statistics.has_split()) statistics.split = gather_statistics(ctx, plan, statistics.split);

  const ScaleBounds bounds = model.cloud.bounds;
  const auto wanted_mm = static_cast<float>(state.config.residual_births.scale_voxels * voxel_mm);
  const float raw = raw_scale_from(wanted_mm, bounds.min_mm, bounds.max_mm);
  const double scale_mm = bounded_scale<double>({raw, raw, raw}, bounds.min_mm, bounds.max_mm).x;
  GaussianRows rows;
  for (const GaussianBirth& b : births) {
    const double density_per_mm = b.score / (std::sqrt(2 * std::numbers::pi) * scale_mm);
    rows.add(b.position_mm, raw, density_per_mm / static_cast<double>(model.field.density_scale_per_mm()),
             model.field.coefficients_per_gaussian());
  }
  for (const ParameterInfo& p : kParameters) {
    if (p.per_gaussian == nullptr) continue;
    const HostVector<float>& born = rows.of[p.id];
    require_size("append_births", p.name, births.size() * static_cast<std::size_t>(p.width(model.field)), born.size());
    write_tail(ctx, born, p.value(model.cloud, model.field));
  }
  return births.size();
}

void sort_gaussians(Context& ctx, TrainingState& state) {
  const std::size_t n = state.model.cloud.size();
  DensityPlan plan;  // every Gaussian kept, in another place
  plan.num_sources = n;
  plan.source = morton_order_of(ctx, state.model.volume, state.model.cloud.position_mm);
  plan.birth = Buffer<Birth>::zeros(ctx, n);
  plan.child = Buffer<std::uint8_t>::zeros(ctx, n);
  gather_gaussians(ctx, plan, state);
  DensificationStatistics& statistics = state.statistics;
  statistics.control = gather_statistics(ctx, plan, statistics.control);
  if (statistics.has_split()) statistics.split = gather_statistics(ctx, plan, statistics.split);
}

DensityEvents run_density_events(Context& ctx, const StepSchedule& schedule, double voxel_mm, const BirthFinder& find,
                                 TrainingState& state) {
  DensityEvents events;
  if (schedule.residual_split_event) events.residual_split = run_residual_split(ctx, schedule, voxel_mm, state);
  if (schedule.density_event) run_density_control(ctx, schedule, state, events);
  if (schedule.residual_births_event) {
    const Config& config = state.config;
    const std::size_t n = state.model.cloud.size(),
                      cap = static_cast<std::size_t>(config.density_control.max_gaussians);
    const auto most = static_cast<std::size_t>(config.residual_births.fraction * static_cast<double>(n));
    const std::size_t room = cap > n ? cap - n : 0;
    if (const std::size_t max_count = std::min(most, room); max_count > 0)
      events.born = append_births(ctx, find(max_count), voxel_mm, state);
  }
  if (schedule.changes_gaussians()) sort_gaussians(ctx, state);
  return events;
}

}  // namespace dsasrgs
