// SPDX-License-Identifier: Apache-2.0
#include "mlp/mlp_pack.hpp"

#include <algorithm>

namespace dsasrgs::cpu {
namespace {

/// Calls visit(parameter index, packed index) for every parameter.
template <class Visit>
void for_each_parameter(const MlpShape& shape, Visit&& visit) {
  for (int l = 0; l <= shape.hidden_layers; ++l) {
    const MlpLayer plain = mlp_layer(shape, l);
    const MlpPackedLayer packed = mlp_packed_layer(shape, l);
    const bool last = l == shape.hidden_layers;
    for (std::size_t o = 0; o < plain.outputs; ++o) {
      for (std::size_t i = 0; i < plain.inputs; ++i)
        visit(plain.weights + o * plain.inputs + i, packed.weights + (last ? i : i * packed.stride + o));
      visit(plain.biases + o, packed.biases + o);
    }
  }
}

}  // namespace

void mlp_pack(const MlpShape& shape, View<const float> parameters, float* packed) {
  std::fill_n(packed, mlp_packed_size(shape), 0.0f);
  for_each_parameter(shape, [&](std::size_t from, std::size_t to) { packed[to] = parameters[from]; });
  if (shape.precision == MlpPrecision::fp32) return;
  for (int l = 0; l < shape.hidden_layers; ++l) {
    const MlpPackedLayer layer = mlp_packed_layer(shape, l);
    std::transform(packed + layer.weights, packed + layer.biases, packed + layer.weights, round_to_bf16);
  }
}

void mlp_unpack_add(const MlpShape& shape, const float* packed, View<float> parameters) {
  for_each_parameter(shape, [&](std::size_t to, std::size_t from) { parameters[to] += packed[from]; });
}

std::size_t mlp_rows_offset(const MlpShape& shape, int layer) {
  const std::size_t width = static_cast<std::size_t>(shape.width);
  const std::size_t first = width * mlp_padded(static_cast<std::size_t>(shape.inputs));
  return layer == 0 ? 0 : first + static_cast<std::size_t>(layer - 1) * width * mlp_padded(width);
}

void mlp_pack_rows(const MlpShape& shape, View<const float> parameters, float* rows) {
  std::fill_n(rows, mlp_rows_offset(shape, shape.hidden_layers), 0.0f);
  for (int l = 0; l < shape.hidden_layers; ++l) {
    const MlpLayer plain = mlp_layer(shape, l);
    float* out = rows + mlp_rows_offset(shape, l);
    for (std::size_t o = 0; o < plain.outputs; ++o, out += mlp_padded(plain.inputs))
      std::copy_n(parameters.data() + plain.weights + o * plain.inputs, plain.inputs, out);
  }
  if (shape.precision == MlpPrecision::bf16)
    std::transform(rows, rows + mlp_rows_offset(shape, shape.hidden_layers), rows, round_to_bf16);
}

}  // namespace dsasrgs::cpu
