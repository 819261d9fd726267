// SPDX-License-Identifier: Apache-2.0
#pragma once
// A fully connected network in double, one point at a time: y = σ(W_L relu(… relu(W_1 x + b_1) …) + b_L), σ relu or
// softplus; on demand with bfloat16's digits in everything that enters a hidden layer's products.

#include <cmath>
#include <cstddef>
#include <vector>

namespace dsasrgs::oracle {

struct Mlp {
  std::vector<std::size_t> sizes;  ///< inputs, width, …, width, 1
  std::vector<double> parameters;  ///< per layer: weights [out][in], biases [out]

  bool bf16 = false;
  double sharpness = 0;  ///< k of the output's ln(1 + e^(kz))/k; 0: relu

  /// v with eight binary digits, ties to even.
  double factor(double v) const {
    int exponent;
    const double digits = std::ldexp(std::frexp(v, &exponent), 8);
    return bf16 ? std::ldexp(std::nearbyint(digits), exponent - 8) : v;
  }
  /// Weight `at` of the layer that ends in layer l's units; the output layer's are not rounded.
  double weight(std::size_t l, std::size_t at) const {
    return l + 1 == sizes.size() ? parameters[at] : factor(parameters[at]);
  }
  /// Unit i of a layer as the next one takes it.
  double unit(const std::vector<std::vector<double>>& z, std::size_t l, std::size_t i) const {
    return factor(l == 0 ? z[0][i] : std::fmax(z[l][i], 0));
  }

  /// Values of all layers before their activation; layers[0] is the input.
  std::vector<std::vector<double>> layers(const std::vector<double>& x) const {
    std::vector<std::vector<double>> z{x};
    std::size_t weights = 0;
    for (std::size_t l = 1; l < sizes.size(); ++l) {
      z.emplace_back(sizes[l]);
      const std::size_t bias = weights + sizes[l] * sizes[l - 1];
      for (std::size_t o = 0; o < sizes[l]; ++o) {
        z[l][o] = parameters[bias + o];
        for (std::size_t i = 0; i < sizes[l - 1]; ++i)
          z[l][o] += weight(l, weights + o * sizes[l - 1] + i) * unit(z, l - 1, i);
      }
      weights = bias + sizes[l];
    }
    return z;
  }
  double value(const std::vector<double>& x) const {
    const double z = layers(x).back()[0];
    return sharpness > 0 ? std::log1p(std::exp(sharpness * z)) / sharpness : std::fmax(z, 0);
  }

  /// Adds grad·dy/dparameters to grad_parameters and returns grad·dy/dx.
  std::vector<double> vjp(const std::vector<double>& x, double grad, std::vector<double>& grad_parameters) const {
    const auto z = layers(x);
    const double top = z.back()[0];
    std::vector<double> g{sharpness > 0 ? grad / (1 + std::exp(-sharpness * top)) : (top > 0 ? grad : 0)};
    std::size_t end = parameters.size();
    for (std::size_t l = sizes.size() - 1; l > 0; --l) {
      const std::size_t bias = end - sizes[l], weights = bias - sizes[l] * sizes[l - 1];
      std::vector<double> below(sizes[l - 1], 0.0);
      for (std::size_t o = 0; o < sizes[l]; ++o) {
        grad_parameters[bias + o] += g[o];
        for (std::size_t i = 0; i < sizes[l - 1]; ++i) {
          const std::size_t at = weights + o * sizes[l - 1] + i;
          grad_parameters[at] += g[o] * unit(z, l - 1, i);
          if (l == 1 || z[l - 1][i] > 0) below[i] += g[o] * weight(l, at);
        }
      }
      if (l > 1)
        for (double& v : below) v = factor(v);
      g = below;
      end = weights;
    }
    return g;
  }
};

}  // namespace dsasrgs::oracle
