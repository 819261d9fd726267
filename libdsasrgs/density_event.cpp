#include <utility>
#include <vector>

#include "training_state.hpp"

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

DensityEvent run_density_control(Context& ctx, const Config& config, const StepSchedule& schedule, int step,
                                 Model& model, OptimizerState& optimizer, DensityStatistics& statistics) {
  const DensityControlConfig& c = config.density_control;
  DensityControl control;
  control.gradient_threshold = static_cast<float>(c.gradient_threshold);
  control.split_scale_mm = schedule.split_voxels * static_cast<float>(model.volume.mean_spacing_mm());
  control.split_shrink = static_cast<float>(c.split_shrink);
  control.min_mean_density = static_cast<float>(c.min_mean_density_per_mm);
  control.random_prune = static_cast<float>(c.random_prune);
  control.box = model.volume;
  control.max_kernels = static_cast<std::size_t>(c.max_kernels);
  control.seed = static_cast<std::uint64_t>(config.training.seed);
  control.step = static_cast<std::uint64_t>(step);

  GaussianCloud& cloud = model.cloud;
  const DensityPlan plan = plan_density_control(ctx, control, cloud.view(), statistics);
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
  if (const int k = model.field.coefficients_per_kernel(); k > 0) compact(k, cloud.attenuation, optimizer.attenuation);
  gather_rows(ctx, plan, gathers);
  for (Compacted& each : compacted) *each.array = std::move(each.rows);
  place_children(ctx, control, plan, cloud.bounds, cloud.position_mm, cloud.raw_scale, cloud.rotation);
  if (c.halve_density) halve_density(ctx, plan, cloud.attenuation);
  statistics = DensityStatistics::zeros(ctx, n);
  return {plan.cloned, plan.split, plan.pruned};
}

}  // namespace dsasrgs
