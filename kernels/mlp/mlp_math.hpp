#pragma once
// Per-element formulas of the network: activations, their VJPs, and where a layer's numbers stand in the parameters.

#include <cstddef>

#include "common/gaussian_math.hpp"
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

/// The output activation of z.
template <class T>
DSASRGS_HD T activate(Activation a, T z) {
  if (a == Activation::identity) return z;
  if (a == Activation::softplus) return softplus(z);
  return z < T(0) ? T(0) : z;  // NaN stays NaN
}
/// Its derivative at z times grad; the derivative of ReLU at 0 is 0.
template <class T>
DSASRGS_HD T activate_vjp(Activation a, T z, T grad) {
  if (a == Activation::identity) return grad;
  if (a == Activation::softplus) return grad * sigmoid(z);
  return z > T(0) ? grad : T(0);
}

}  // namespace dsasrgs
