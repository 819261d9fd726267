// SPDX-License-Identifier: Apache-2.0
#pragma once
// Per-element formulas of the network: the output's activation and its VJP, and where a layer's numbers stand in the
// parameters.

#include <cmath>
#include <cstddef>

#include "common/bfloat16.hpp"
#include "common/gaussian_math.hpp"
#include "common/relu.hpp"
#include "dsasrgs/math.hpp"
#include "mlp/mlp.hpp"

namespace dsasrgs {

/// One layer: weights [outputs, inputs] row-major at `weights`, biases [outputs] at `biases`.
struct MlpLayer {
  std::size_t inputs, outputs, weights, biases;
};
DSASRGS_HD inline MlpLayer mlp_layer(const MlpShape& s, int layer) {
  const std::size_t inputs = static_cast<std::size_t>(s.inputs), width = static_cast<std::size_t>(s.width);
  if (layer == 0) return {inputs, width, 0, width * inputs};
  const std::size_t first = width * (inputs + 1) + static_cast<std::size_t>(layer - 1) * width * (width + 1);
  const std::size_t outputs = layer == s.hidden_layers ? 1 : width;
  return {width, outputs, first, first + outputs * width};
}

/// The network's output from what its last layer gives.
template <class T>
DSASRGS_HD T mlp_output(const MlpShape& s, T z) {
  if (s.output == OutputActivation::relu) return relu(z);
  const T k = T(s.sharpness);
  return softplus(k * z) / k;
}
/// Which z gives a positive output.
template <class T>
T mlp_output_inverse(const MlpShape& s, T output) {
  if (s.output == OutputActivation::relu) return output;
  const T k = T(s.sharpness);
  return output + std::log(-std::expm1(-k * output)) / k;
}
/// Its derivative at z times grad.
template <class T>
DSASRGS_HD T mlp_output_vjp(const MlpShape& s, T z, T grad) {
  return s.output == OutputActivation::relu ? relu_vjp(z, grad) : grad * sigmoid(T(s.sharpness) * z);
}

/// A block of CUDA works on a tile of points at a time, with room for `width` hidden units of each.
struct MlpTileSize {
  int width, points;
};
/// The narrowest tile that is as wide as the network.
constexpr MlpTileSize mlp_tile_size(int width) {
  return width <= 64 ? MlpTileSize{64, 64} : (width <= 128 ? MlpTileSize{128, 64} : MlpTileSize{256, 32});
}

/// Shared memory that the tensor-core path takes for the weights and `kept_layers` hidden layers of a tile; see
/// MatrixTile, which cuts it up.
constexpr std::size_t mlp_bf16_shared_bytes(const MlpShape& s, int kept_layers) {
  constexpr int kPad = 8, kSumsPerWarp = 16 * 20, kBf16Bytes = 2, kFloatBytes = 4;
  const auto [width, points] = mlp_tile_size(s.width);
  const int threads = width * points / 32, padded_inputs = (s.inputs + 15) / 16 * 16;
  const int numbers = points * (points + kPad) + (padded_inputs + (s.hidden_layers - 1) * width) * (width + kPad) +
                      kept_layers * width * (points + kPad);
  const int sums = threads / 32 * kSumsPerWarp + threads;
  return kBf16Bytes * static_cast<std::size_t>(numbers) + kFloatBytes * static_cast<std::size_t>(sums);
}
/// What a device of compute capability 8.0 lets a block have.
inline constexpr std::size_t kMlpBf16SharedLimitBytes = std::size_t{96} * 1024;

}  // namespace dsasrgs
