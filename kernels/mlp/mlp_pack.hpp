// SPDX-License-Identifier: Apache-2.0
#pragma once
// The network's numbers as the CPU loops want them: weights transposed to [in, out], rows padded with zeros to whole
// vectors. Partial parameter gradients use the same layout.

#include <cstddef>

#include "dsasrgs/buffer.hpp"
#include "mlp/mlp_math.hpp"

namespace dsasrgs::cpu {

/// Rows are padded to this many floats, the longest vector in use.
inline constexpr std::size_t kMlpPad = 16;
inline std::size_t mlp_padded(std::size_t n) { return (n + kMlpPad - 1) / kMlpPad * kMlpPad; }

/// A layer in packed memory. Hidden layers: weights [inputs, stride], biases [stride]. Output layer: weights [stride]
/// as one row with stride = padded width, then the bias.
struct MlpPackedLayer {
  std::size_t inputs, stride, weights, biases;
};
inline MlpPackedLayer mlp_packed_layer(const MlpShape& s, int layer) {
  const std::size_t inputs = static_cast<std::size_t>(s.inputs), width = static_cast<std::size_t>(s.width);
  const std::size_t stride = mlp_padded(width);
  if (layer == 0) return {inputs, stride, 0, inputs * stride};
  const std::size_t first = stride * (inputs + 1) + static_cast<std::size_t>(layer - 1) * stride * (width + 1);
  return {width, stride, first, first + (layer == s.hidden_layers ? stride : width * stride)};
}
inline std::size_t mlp_packed_size(const MlpShape& s) { return mlp_packed_layer(s, s.hidden_layers).biases + kMlpPad; }

/// parameters → packed [mlp_packed_size], pads zero; in bf16 the hidden layers' weights are rounded.
void mlp_pack(const MlpShape&, View<const float> parameters, float* packed);
/// Adds the packed numbers to parameters: the transpose of mlp_pack in fp32.
void mlp_unpack_add(const MlpShape&, const float* packed, View<float> parameters);

/// Weights of the hidden layers as they are, [out, padded in], one layer after the other (for gradients of inputs),
/// rounded likewise.
std::size_t mlp_rows_offset(const MlpShape&, int layer);
void mlp_pack_rows(const MlpShape&, View<const float> parameters, float* rows);

}  // namespace dsasrgs::cpu
