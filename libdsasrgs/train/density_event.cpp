#include "train/density_event.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "common/gaussian_math.hpp"
#include "train/initialize.hpp"

namespace dsasrgs {

OptimizerState OptimizerState::zeros(Context& ctx, const Model& model) {
  const GaussianCloud& cloud = model.cloud;
  const AttenuationField::Parameters& field = model.field.parameters();
  return {AdamMoments::zeros(ctx, cloud.position_mm.size()), AdamMoments::zeros(ctx, cloud.raw_scale.size()),
          AdamMoments::zeros(ctx, cloud.rotation.size()),    AdamMoments::zeros(ctx, cloud.attenuation.size()),
          AdamMoments::zeros(ctx, field.table3d.size()),     AdamMoments::zeros(ctx, field.table4d.size()),
          AdamMoments::zeros(ctx, field.network.size()),     {}};
}

FieldGradient FieldGradient::zeros(Context& ctx, const AttenuationField& field) {
  const AttenuationField::Parameters& p = field.parameters();
  return {Buffer<float>::zeros(ctx, p.table3d.size()), Buffer<float>::zeros(ctx, p.table4d.size()),
          Buffer<float>::zeros(ctx, p.network.size())};
}

namespace {

/// Carries out a plan on the Gaussians and their moments, which for births start at zero.
void gather_gaussians(Context& ctx, const DensityPlan& plan, Model& model, OptimizerState& optimizer) {
  GaussianCloud& cloud = model.cloud;
  const std::size_t n = plan.size();
  struct Compacted {
    Buffer<float>* array;
    Buffer<float> rows;
  };
  std::vector<Compacted> compacted;
  std::vector<RowGather> gathers;
  const auto gather = [&](int width, bool zero_births, Buffer<float>& array) {
    compacted.push_back({&array, Buffer<float>(ctx, n * static_cast<std::size_t>(width))});
    gathers.push_back({width, zero_births, array, compacted.back().rows});
  };
  const auto compact = [&](int width, Buffer<float>& value, AdamMoments& moments) {
    gather(width, false, value);
    gather(width, true, moments.first);
    gather(width, true, moments.second);
  };
  compact(3, cloud.position_mm, optimizer.position);
  compact(3, cloud.raw_scale, optimizer.raw_scale);
  compact(4, cloud.rotation, optimizer.rotation);
  if (const int k = model.field.coefficients_per_gaussian(); k > 0)
    compact(k, cloud.attenuation, optimizer.attenuation);
  gather_rows(ctx, plan, gathers);
  for (Compacted& each : compacted) *each.array = std::move(each.rows);
}

/// Gathers the Gaussians by the plan and puts split children in their places.
void apply_plan(Context& ctx, const DensityControl& control, const DensityPlan& plan, Model& model,
                OptimizerState& optimizer) {
  gather_gaussians(ctx, plan, model, optimizer);
  GaussianCloud& cloud = model.cloud;
  place_children(ctx, control, plan, cloud.bounds, cloud.position_mm, cloud.raw_scale, cloud.rotation);
}

/// Every Gaussian kept, and `births` more made from Gaussian `source`.
DensityPlan append_plan(Context& ctx, std::size_t num_gaussians, std::size_t births, std::uint32_t source) {
  std::vector<std::uint32_t> sources(num_gaussians + births, source);
  std::iota(sources.begin(), sources.begin() + static_cast<std::ptrdiff_t>(num_gaussians), 0u);
  std::vector<Birth> birth(num_gaussians + births, Birth::clone);
  std::fill_n(birth.begin(), num_gaussians, Birth::kept);
  DensityPlan plan;
  plan.source = Buffer<std::uint32_t>::from_host(ctx, sources);
  plan.birth = Buffer<Birth>::from_host(ctx, birth);
  plan.child = Buffer<std::uint8_t>::zeros(ctx, sources.size());
  plan.num_sources = num_gaussians;
  return plan;
}

/// Replaces the last rows of an array.
void write_tail(Context& ctx, const std::vector<float>& rows, Buffer<float>& array) {
  copy_bytes_from_host(ctx, array.data() + (array.size() - rows.size()), rows.data(), rows.size() * sizeof(float));
}

}  // namespace

DensificationStatistics DensificationStatistics::zeros(Context& ctx, const Config& config, std::size_t num_gaussians) {
  const bool weights = config.density_control.pixel_weights;
  DensificationStatistics s{DensityStatistics::zeros(ctx, num_gaussians, weights), {}};
  if (config.residual_split.enabled) s.split = DensityStatistics::zeros(ctx, num_gaussians, weights);
  return s;
}

void DensificationStatistics::add(Context& ctx, const Detector& detector, const ViewPipeline& view) {
  const auto add_to = [&](DensityStatistics& s) {
    density_statistics_add(ctx, detector, view.grad_mean_px(), view.box(), view.density(), s, view.conic());
  };
  add_to(control);
  if (has_split()) add_to(split);
}

double low_resolution_voxel_mm(const Acquisition& acquisition, const std::vector<int>& views) {
  const double pitch = (acquisition.detector.pitch_u_mm + acquisition.detector.pitch_v_mm) / 2;
  double sum = 0;
  for (const int v : views) {
    const Pose& pose = acquisition.poses[static_cast<std::size_t>(v)];
    const Vec3d normal = cross(pose.detector_u, pose.detector_v);
    sum += pitch * dot(acquisition.volume.center_mm() - pose.source_mm, normal) /
           dot(pose.detector_center_mm - pose.source_mm, normal);
  }
  return sum / static_cast<double>(views.size());
}

DensityEvents DensityEventRunner::run(Context& ctx, const StepSchedule& schedule, int step, const BirthFinder& find,
                                      Model& model, OptimizerState& optimizer,
                                      DensificationStatistics& statistics) const {
  DensityEvents events;
  if (schedule.residual_split_event) run_residual_split(ctx, schedule, step, model, optimizer, statistics, events);
  if (schedule.density_event) run_density_control(ctx, schedule, step, model, optimizer, statistics, events);
  if (schedule.residual_births_event) {
    const std::size_t n = model.cloud.size(), cap = static_cast<std::size_t>(config_.density_control.max_gaussians);
    const auto most = static_cast<std::size_t>(config_.residual_births.fraction * static_cast<double>(n));
    const std::size_t room = cap > n ? cap - n : 0;
    if (const std::size_t max_count = std::min(most, room); max_count > 0)
      append_births(ctx, find(max_count), model, optimizer, statistics, events);
  }
  return events;
}

void DensityEventRunner::run_residual_split(Context& ctx, const StepSchedule& schedule, int step, Model& model,
                                            OptimizerState& optimizer, DensificationStatistics& statistics,
                                            DensityEvents& events) const {
  // Random numbers are keyed by the step: steps of RSD are numbered past those of density control.
  constexpr std::uint64_t kFirstStepKey = std::uint64_t{1} << 32;
  const ResidualSplitConfig& c = config_.residual_split;
  DensityControl control;
  control.gradient_threshold = schedule.residual_split_threshold;
  control.split_scale_mm = static_cast<float>(c.min_scale_voxels * voxel_mm_);
  const SplitShape shape =
      c.conserve_mass ? rsd_split(c.children) : SplitShape{static_cast<float>(c.shrink), static_cast<float>(c.spread)};
  control.split_shrink = shape.shrink;
  control.split_spread = shape.spread;
  control.split_children = c.children;
  control.clone = control.prune = false;
  // Not pruned here, but not split either.
  control.min_mean_density = static_cast<float>(config_.density_control.min_mean_density_per_mm);
  control.box = model.volume;
  control.max_gaussians = static_cast<std::size_t>(config_.density_control.max_gaussians);
  control.seed = static_cast<std::uint64_t>(config_.training.seed);
  control.step = kFirstStepKey + static_cast<std::uint64_t>(step);

  const DensityPlan plan = plan_density_control(ctx, control, model.cloud.view(), statistics.split);
  apply_plan(ctx, control, plan, model, optimizer);
  statistics.control = gather_statistics(ctx, plan, statistics.control);
  statistics.split = DensityStatistics::zeros(ctx, plan.size(), config_.density_control.pixel_weights);
  events.residual_split = plan.split;
}

void DensityEventRunner::run_density_control(Context& ctx, const StepSchedule& schedule, int step, Model& model,
                                             OptimizerState& optimizer, DensificationStatistics& statistics,
                                             DensityEvents& events) const {
  const DensityControlConfig& c = config_.density_control;
  DensityControl control;
  control.gradient_threshold = static_cast<float>(c.gradient_threshold);
  control.split_scale_mm = schedule.split_voxels * static_cast<float>(model.volume.mean_spacing_mm());
  control.split_shrink = static_cast<float>(c.split_shrink);
  control.min_mean_density = static_cast<float>(c.min_mean_density_per_mm);
  control.random_prune = static_cast<float>(c.random_prune);
  control.box = model.volume;
  control.max_gaussians = static_cast<std::size_t>(c.max_gaussians);
  control.seed = static_cast<std::uint64_t>(config_.training.seed);
  control.step = static_cast<std::uint64_t>(step);

  const DensityPlan plan = plan_density_control(ctx, control, model.cloud.view(), statistics.control);
  apply_plan(ctx, control, plan, model, optimizer);
  if (c.halve_density) halve_density(ctx, plan, model.cloud.attenuation);
  statistics.control = DensityStatistics::zeros(ctx, plan.size(), c.pixel_weights);
  if (statistics.has_split()) statistics.split = gather_statistics(ctx, plan, statistics.split);
  events.cloned = plan.cloned;
  events.split = plan.split;
  events.pruned = plan.pruned;
}

void DensityEventRunner::append_births(Context& ctx, std::span<const GaussianBirth> births, Model& model,
                                       OptimizerState& optimizer, DensificationStatistics& statistics,
                                       DensityEvents& events) const {
  if (births.empty()) return;
  // Every row of a birth is written below; its source only lends it the density sum that keeps it from being pruned
  // for being young. So it is the Gaussian with the largest.
  const std::vector<float> density = statistics.control.density.to_host(ctx);
  const auto densest = static_cast<std::uint32_t>(std::max_element(density.begin(), density.end()) - density.begin());
  const DensityPlan plan = append_plan(ctx, model.cloud.size(), births.size(), densest);
  gather_gaussians(ctx, plan, model, optimizer);
  statistics.control = gather_statistics(ctx, plan, statistics.control);
  if (statistics.has_split()) statistics.split = gather_statistics(ctx, plan, statistics.split);

  GaussianCloud& cloud = model.cloud;
  const auto wanted_mm = static_cast<float>(config_.residual_births.scale_voxels * voxel_mm_);
  const float raw = raw_scale_from(wanted_mm, cloud.bounds.min_mm, cloud.bounds.max_mm);
  const double scale_mm = bounded_scale<double>({raw, raw, raw}, cloud.bounds.min_mm, cloud.bounds.max_mm).x;
  const auto coefficients = static_cast<std::size_t>(model.field.coefficients_per_gaussian());
  std::vector<float> position, rotation, attenuation;
  for (const GaussianBirth& b : births) {
    position.insert(position.end(), {b.position_mm.x, b.position_mm.y, b.position_mm.z});
    rotation.insert(rotation.end(), {1.0f, 0.0f, 0.0f, 0.0f});
    const double density_per_mm = b.score / (std::sqrt(2 * std::numbers::pi) * scale_mm);
    if (coefficients == 0) continue;
    attenuation.push_back(static_attenuation(density_per_mm / static_cast<double>(model.field.density_scale_per_mm())));
    attenuation.insert(attenuation.end(), coefficients - 1, 0.0f);  // of an offset table: constant in time
  }
  write_tail(ctx, position, cloud.position_mm);
  write_tail(ctx, std::vector<float>(3 * births.size(), raw), cloud.raw_scale);
  write_tail(ctx, rotation, cloud.rotation);
  write_tail(ctx, attenuation, cloud.attenuation);
  events.born = births.size();
}

}  // namespace dsasrgs
