// SPDX-License-Identifier: Apache-2.0
#pragma once
// A layer of 3×3 convolution in double, straight from its sum; the gradient by scattering each output's. On demand with
// bfloat16's digits in everything that enters a product.

#include <cmath>
#include <cstddef>
#include <vector>

namespace dsasrgs::oracle {

struct Convolve {
  int images, inputs, outputs, width, height;
  bool relu = false, bf16 = false;
  std::vector<double> weights, bias;

  /// v with eight binary digits, ties to even.
  double factor(double v) const {
    int exponent;
    const double digits = std::ldexp(std::frexp(v, &exponent), 8);
    return bf16 ? std::ldexp(std::nearbyint(digits), exponent - 8) : v;
  }
  std::size_t at(int image, int channels, int channel, int row, int column) const {
    return static_cast<std::size_t>(((image * channels + channel) * height + row) * width + column);
  }

  /// Calls visit(output element, image element, weight) for every product of the layer.
  template <class Visit>
  void for_each_product(Visit&& visit) const {
    for (int n = 0; n < images; ++n)
      for (int o = 0; o < outputs; ++o)
        for (int i = 0; i < inputs; ++i)
          for (int row = 0; row < height; ++row)
            for (int column = 0; column < width; ++column)
              for (int down = -1; down <= 1; ++down)
                for (int right = -1; right <= 1; ++right) {
                  const int r = row + down, c = column + right;
                  if (r < 0 || c < 0 || r >= height || c >= width) continue;
                  visit(at(n, outputs, o, row, column), at(n, inputs, i, r, c),
                        static_cast<std::size_t>(((o * inputs + i) * 3 + down + 1) * 3 + right + 1));
                }
  }
  std::size_t channel_of(std::size_t output) const {
    return output / static_cast<std::size_t>(width * height) % static_cast<std::size_t>(outputs);
  }

  /// Before the activation.
  std::vector<double> sums(const std::vector<double>& image) const {
    std::vector<double> z(static_cast<std::size_t>(images * outputs * height * width));
    for (std::size_t p = 0; p < z.size(); ++p) z[p] = bias[channel_of(p)];
    for_each_product(
        [&](std::size_t p, std::size_t x, std::size_t w) { z[p] += factor(weights[w]) * factor(image[x]); });
    return z;
  }
  std::vector<double> forward(const std::vector<double>& image) const {
    std::vector<double> y = sums(image);
    if (relu)
      for (double& v : y) v = std::fmax(v, 0);
    return y;
  }

  struct Gradients {
    std::vector<double> image, weights, bias;
  };
  Gradients vjp(const std::vector<double>& image, const std::vector<double>& grad_output) const {
    const std::vector<double> z = sums(image);
    Gradients g{std::vector<double>(image.size()), std::vector<double>(weights.size()),
                std::vector<double>(bias.size())};
    const auto grad = [&](std::size_t p) { return relu && z[p] <= 0 ? 0 : factor(grad_output[p]); };
    for (std::size_t p = 0; p < z.size(); ++p) g.bias[channel_of(p)] += grad(p);
    for_each_product([&](std::size_t p, std::size_t x, std::size_t w) {
      g.image[x] += grad(p) * factor(weights[w]);
      g.weights[w] += grad(p) * factor(image[x]);
    });
    return g;
  }
};

}  // namespace dsasrgs::oracle
