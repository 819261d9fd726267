#pragma once
// A fully connected network in double, one point at a time: y = act(W_L relu(… relu(W_1 x + b_1) …) + b_L).

#include <cmath>
#include <cstddef>
#include <vector>

namespace dsasrgs::oracle {

struct Mlp {
  std::vector<std::size_t> sizes;  ///< inputs, width, …, width, 1
  char output = 'r';               ///< r(elu), s(oftplus), i(dentity)
  std::vector<double> parameters;  ///< per layer: weights [out][in], biases [out]

  double act(double z) const { return output == 'i' ? z : output == 's' ? std::log(1 + std::exp(z)) : std::fmax(z, 0); }
  double slope(double z) const { return output == 'i' ? 1 : output == 's' ? 1 / (1 + std::exp(-z)) : double(z > 0); }

  /// Values of all layers before their activation; layers[0] is the input.
  std::vector<std::vector<double>> layers(const std::vector<double>& x) const {
    std::vector<std::vector<double>> z{x};
    const double* w = parameters.data();
    for (std::size_t l = 1; l < sizes.size(); ++l) {
      z.emplace_back(sizes[l]);
      const double* bias = w + sizes[l] * sizes[l - 1];
      for (std::size_t o = 0; o < sizes[l]; ++o) {
        z[l][o] = bias[o];
        for (std::size_t i = 0; i < sizes[l - 1]; ++i) z[l][o] += *w++ * (l == 1 ? x[i] : std::fmax(z[l - 1][i], 0));
      }
      w = bias + sizes[l];
    }
    return z;
  }
  double value(const std::vector<double>& x) const { return act(layers(x).back()[0]); }

  /// Adds grad·dy/dparameters to grad_parameters and returns grad·dy/dx.
  std::vector<double> vjp(const std::vector<double>& x, double grad, std::vector<double>& grad_parameters) const {
    const auto z = layers(x);
    std::vector<double> g{grad * slope(z.back()[0])};
    std::size_t end = parameters.size();
    for (std::size_t l = sizes.size() - 1; l > 0; --l) {
      const std::size_t bias = end - sizes[l], weights = bias - sizes[l] * sizes[l - 1];
      std::vector<double> below(sizes[l - 1], 0.0);
      for (std::size_t o = 0; o < sizes[l]; ++o) {
        grad_parameters[bias + o] += g[o];
        for (std::size_t i = 0; i < sizes[l - 1]; ++i) {
          const std::size_t at = weights + o * sizes[l - 1] + i;
          grad_parameters[at] += g[o] * (l == 1 ? x[i] : std::fmax(z[l - 1][i], 0));
          if (l == 1 || z[l - 1][i] > 0) below[i] += g[o] * parameters[at];
        }
      }
      g = below;
      end = weights;
    }
    return g;
  }
};

}  // namespace dsasrgs::oracle
