#include "dsasrgs/attenuation_field.hpp"

#include <algorithm>
#include <cmath>

#include "attenuation/attenuation.hpp"
#include "common/gaussian_math.hpp"
#include "common/random.hpp"
#include "common/require.hpp"
#include "elementwise/elementwise.hpp"
#include "field_shapes.hpp"

namespace dsasrgs {

namespace {

/// He-uniform weights, zero biases, output bias 1 (mlp.hpp fixes the order: per layer weights, then biases).
std::vector<float> initial_network(const MlpShape& shape, std::int64_t seed) {
  std::vector<float> parameters;
  parameters.reserve(mlp_num_parameters(shape));
  int inputs = shape.inputs;
  for (int layer = 0; layer <= shape.hidden_layers; ++layer) {
    const bool last = layer == shape.hidden_layers;
    const int outputs = last ? 1 : shape.width;
    const float bound = std::sqrt(6.0f / static_cast<float>(inputs));
    for (int i = 0; i < inputs * outputs; ++i) {
      const auto r = random_uniform4(static_cast<std::uint64_t>(seed), RandomStream::weights,
                                     static_cast<std::uint64_t>(layer), static_cast<std::uint64_t>(i));
      parameters.push_back(bound * (2 * r.u[0] - 1));
    }
    parameters.insert(parameters.end(), static_cast<std::size_t>(outputs), last ? 1.0f : 0.0f);
    inputs = outputs;
  }
  return parameters;
}

std::vector<float> initial_table(const HashGridShape& shape, std::int64_t seed) {
  std::vector<float> table = host_vector<float>(hash_grid_num_parameters(shape));
  for (std::size_t i = 0; i < table.size(); i += 4) {
    const auto r = random_uniform4(static_cast<std::uint64_t>(seed), RandomStream::weights,
                                   100 + static_cast<std::uint64_t>(shape.dimensions), i);
    for (std::size_t j = i; j < std::min(i + 4, table.size()); ++j) table[j] = 1e-4f * (2 * r.u[j - i] - 1);
  }
  return table;
}

void ensure(Context& ctx, Buffer<float>& buffer, std::size_t size) {
  if (buffer.size() != size) buffer = Buffer<float>(ctx, size);
}

}  // namespace

struct AttenuationField::Scratch {
  HashGridScratch grids;
  MlpScratch network;
};

AttenuationField::AttenuationField(Context& ctx, const FieldConfig& config, const VolumeGrid& box, std::int64_t seed)
    : config_(config), box_(box) {
  require(box.num_voxels() > 0, "AttenuationField", "box: expected a volume that is not empty");
  if (config.kind != AttenuationKind::neural) return;
  parameters_.table3d = Buffer<float>::from_host(ctx, initial_table(grid3d_shape(config), seed));
  parameters_.table4d = Buffer<float>::from_host(ctx, initial_table(grid4d_shape(config), seed));
  parameters_.network = Buffer<float>::from_host(ctx, initial_network(network_shape(config), seed));
}

int AttenuationField::coefficients_per_gaussian() const {
  switch (config_.kind) {
    case AttenuationKind::constant:
      return 1;
    case AttenuationKind::offset_table:
      return kOffsetTableCoefficients;
    case AttenuationKind::neural:
      break;
  }
  return 0;
}

void AttenuationField::evaluate(Context& ctx, const GaussianCloud& cloud, float time, Saved& saved,
                                View<float> density) const {
  const std::size_t n = cloud.size();
  require_size("AttenuationField::evaluate", "density", n, density.size());
  saved.time = time;
  if (config_.kind == AttenuationKind::constant) {
    softplus_density_forward(ctx, density_scale_per_mm_, cloud.attenuation, density);
    return;
  }
  if (config_.kind == AttenuationKind::offset_table) {
    offset_table_density_forward(ctx, density_scale_per_mm_, time, cloud.attenuation, density);
    return;
  }
  const HashGridShape shape3d = grid3d_shape(config_), shape4d = grid4d_shape(config_);
  const MlpShape network = network_shape(config_);
  const std::size_t rows3d = static_cast<std::size_t>(shape3d.levels * kHashFeatures);
  ensure(ctx, saved.unit_position, 3 * n);
  ensure(ctx, saved.features, static_cast<std::size_t>(network.inputs) * n);
  to_unit_box(ctx, box_, cloud.position_mm, saved.unit_position);
  View<float> features = saved.features;
  hash_grid_forward(ctx, {shape3d, saved.unit_position, 0, parameters_.table3d}, features.subview(0, rows3d * n));
  hash_grid_forward(ctx, {shape4d, saved.unit_position, time, parameters_.table4d},
                    features.subview(rows3d * n, features.size() - rows3d * n));
  mlp_forward(ctx, {network, parameters_.network, features}, density);
  scale_values(ctx, density_scale_per_mm_, density, density);
}

void AttenuationField::backward(Context& ctx, const GaussianCloud& cloud, Saved& saved, View<const float> grad_density,
                                const Gradient& gradient) const {
  const std::size_t n = cloud.size();
  require_size("AttenuationField::backward", "grad_density", n, grad_density.size());
  if (config_.kind == AttenuationKind::constant) {
    softplus_density_backward(ctx, density_scale_per_mm_, cloud.attenuation, grad_density, gradient.attenuation);
    return;
  }
  if (config_.kind == AttenuationKind::offset_table) {
    offset_table_density_backward(ctx, density_scale_per_mm_, saved.time, cloud.attenuation, grad_density,
                                  gradient.attenuation);
    return;
  }
  const HashGridShape shape3d = grid3d_shape(config_), shape4d = grid4d_shape(config_);
  const MlpShape network = network_shape(config_);
  const std::size_t rows3d = static_cast<std::size_t>(shape3d.levels * kHashFeatures);
  ensure(ctx, saved.grad_features, static_cast<std::size_t>(network.inputs) * n);
  ensure(ctx, saved.grad_unit, 3 * n);
  ensure(ctx, saved.grad_scaled, n);
  if (saved.scratch == nullptr) saved.scratch = std::make_shared<Scratch>();
  scale_values(ctx, density_scale_per_mm_, grad_density, saved.grad_scaled);
  mlp_backward(ctx, {network, parameters_.network, saved.features}, saved.grad_scaled,
               {gradient.network, saved.grad_features, GradientMode::overwrite}, saved.scratch->network);
  View<const float> grad_features = std::as_const(saved.grad_features).view();
  hash_grid_backward(ctx, {shape3d, saved.unit_position, 0, parameters_.table3d}, grad_features.subview(0, rows3d * n),
                     {gradient.table3d, saved.grad_unit, GradientMode::overwrite}, saved.scratch->grids);
  hash_grid_backward(ctx, {shape4d, saved.unit_position, saved.time, parameters_.table4d},
                     grad_features.subview(rows3d * n, grad_features.size() - rows3d * n),
                     {gradient.table4d, saved.grad_unit, GradientMode::accumulate}, saved.scratch->grids);
  to_unit_box_backward(ctx, box_, saved.grad_unit, gradient.position_mm);
}

}  // namespace dsasrgs
