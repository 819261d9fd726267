// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/attenuation_field.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "attenuation/attenuation.hpp"
#include "common/checks.hpp"
#include "common/random.hpp"
#include "config_names.hpp"
#include "dsasrgs/buffer.hpp"
#include "field_shapes.hpp"
#include "mlp/mlp_math.hpp"

namespace dsasrgs {

namespace {

/// He-uniform weights, zero biases, but for the output's, with which the output is 1 (mlp.hpp fixes the order: per
/// layer weights, then biases).
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
    parameters.insert(parameters.end(), static_cast<std::size_t>(outputs),
                      last ? mlp_output_inverse(shape, 1.0f) : 0.0f);
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

template <class E>
void require_named(const char* field, E value) {
  require(has_name(value), "AttenuationField",
          std::string(field) + ": expected " + name_list(value) + ", found the number " +
              std::to_string(static_cast<int>(value)));
}

}  // namespace

AttenuationField::AttenuationField(Context& ctx, const FieldConfig& config, const VolumeGrid& box,
                                   std::int64_t seed) try
    : config_(config), box_(box) {
  require_named("kind", config.kind);
  require_named("precision", config.precision);
  require_named("output", config.output);
  require_grid("AttenuationField", box);
  if (config.kind != AttenuationKind::neural) return;
  parameters_.table3d = Buffer<float>::from_host(ctx, initial_table(grid3d_shape(config), seed));
  parameters_.table4d = Buffer<float>::from_host(ctx, initial_table(grid4d_shape(config), seed));
  parameters_.network = Buffer<float>::from_host(ctx, initial_network(network_shape(config), seed));
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

int AttenuationField::coefficients_per_gaussian() const { return attenuation_coefficients(config_.kind); }

}  // namespace dsasrgs
