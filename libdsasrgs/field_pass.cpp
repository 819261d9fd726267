// SPDX-License-Identifier: Apache-2.0
#include "field_pass.hpp"

#include <array>

#include "attenuation/attenuation.hpp"
#include "common/require.hpp"
#include "field_shapes.hpp"

namespace dsasrgs {

namespace {

/// In the order of kParameters.
std::array<HashGridInput, 2> grids_of(const AttenuationField& field, const GaussianCloud& cloud, float time) {
  const UnitBox box(field.box());
  return {HashGridInput{grid3d_shape(field.config()), cloud.position_mm, 0, field.parameters().table3d, box},
          HashGridInput{grid4d_shape(field.config()), cloud.position_mm, time, field.parameters().table4d, box}};
}

}  // namespace

void FieldPass::forward(Context& ctx, const AttenuationField& field, const GaussianCloud& cloud, float time,
                        View<float> density) {
  const std::size_t n = cloud.size();
  require_size("FieldPass::forward", "density", n, density.size());
  const FieldConfig& config = field.config();
  const float scale = field.density_scale_per_mm();
  time_ = time;
  if (config.kind == AttenuationKind::constant) {
    softplus_density_forward(ctx, scale, cloud.attenuation, density);
    return;
  }
  if (config.kind == AttenuationKind::offset_table) {
    offset_table_density_forward(ctx, scale, time, cloud.attenuation, density);
    return;
  }
  const MlpShape network = network_shape(config);
  features_.resize(ctx, static_cast<std::size_t>(network.inputs) * n);
  hash_grid_forward(ctx, grids_of(field, cloud, time), features_);
  mlp_forward(ctx, {network, field.parameters().network, features_, scale}, density);
}

void FieldPass::backward(Context& ctx, const AttenuationField& field, const GaussianCloud& cloud,
                         View<const float> grad_density, const FieldGradient& gradient) {
  const std::size_t n = cloud.size();
  require_size("FieldPass::backward", "grad_density", n, grad_density.size());
  const FieldConfig& config = field.config();
  const float scale = field.density_scale_per_mm();
  if (config.kind == AttenuationKind::constant) {
    softplus_density_backward(ctx, scale, cloud.attenuation, grad_density, gradient.attenuation);
    return;
  }
  if (config.kind == AttenuationKind::offset_table) {
    offset_table_density_backward(ctx, scale, time_, cloud.attenuation, grad_density, gradient.attenuation);
    return;
  }
  const MlpShape network = network_shape(config);
  grad_features_.resize(ctx, static_cast<std::size_t>(network.inputs) * n);
  mlp_backward(ctx, {network, field.parameters().network, features_, scale}, grad_density,
               {gradient.network, grad_features_, GradientMode::overwrite}, network_scratch_);
  hash_grid_backward(ctx, grids_of(field, cloud, time_), grad_features_,
                     {gradient.position_mm, GradientMode::accumulate}, gradient.tables);
}

}  // namespace dsasrgs
