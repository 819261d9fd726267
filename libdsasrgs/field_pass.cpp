// SPDX-License-Identifier: Apache-2.0
#include "field_pass.hpp"

#include <utility>

#include "attenuation/attenuation.hpp"
#include "common/require.hpp"
#include "elementwise/elementwise.hpp"
#include "field_shapes.hpp"

namespace dsasrgs {

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
  const AttenuationField::Parameters& parameters = field.parameters();
  const HashGridShape shape3d = grid3d_shape(config), shape4d = grid4d_shape(config);
  const MlpShape network = network_shape(config);
  const std::size_t rows3d = static_cast<std::size_t>(shape3d.levels) * kHashFeatures;
  unit_position_.resize(ctx, 3 * n);
  features_.resize(ctx, static_cast<std::size_t>(network.inputs) * n);
  to_unit_box(ctx, field.box(), cloud.position_mm, unit_position_);
  View<float> features = features_;
  hash_grid_forward(ctx, {shape3d, unit_position_, 0, parameters.table3d}, features.subview(0, rows3d * n));
  hash_grid_forward(ctx, {shape4d, unit_position_, time, parameters.table4d},
                    features.subview(rows3d * n, features.size() - rows3d * n));
  mlp_forward(ctx, {network, parameters.network, features}, density);
  scale_values(ctx, scale, density, density);
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
  const AttenuationField::Parameters& parameters = field.parameters();
  const HashGridShape shape3d = grid3d_shape(config), shape4d = grid4d_shape(config);
  const MlpShape network = network_shape(config);
  const std::size_t rows3d = static_cast<std::size_t>(shape3d.levels) * kHashFeatures;
  grad_features_.resize(ctx, static_cast<std::size_t>(network.inputs) * n);
  grad_unit_.resize(ctx, 3 * n);
  grad_scaled_.resize(ctx, n);
  scale_values(ctx, scale, grad_density, grad_scaled_);
  mlp_backward(ctx, {network, parameters.network, features_}, grad_scaled_,
               {gradient.network, grad_features_, GradientMode::overwrite}, network_scratch_);
  View<const float> grad_features = std::as_const(grad_features_).view();
  hash_grid_backward(ctx, {shape3d, unit_position_, 0, parameters.table3d}, grad_features.subview(0, rows3d * n),
                     {gradient.table3d, grad_unit_, GradientMode::overwrite}, grid_scratch_);
  hash_grid_backward(ctx, {shape4d, unit_position_, time_, parameters.table4d},
                     grad_features.subview(rows3d * n, grad_features.size() - rows3d * n),
                     {gradient.table4d, grad_unit_, GradientMode::accumulate}, grid_scratch_);
  to_unit_box_backward(ctx, field.box(), grad_unit_, gradient.position_mm);
}

}  // namespace dsasrgs
