// SPDX-License-Identifier: Apache-2.0
#pragma once
// The super-resolution network in double, layer after layer as its formula reads:
// f(x) = U(x) + shuffle_s(conv(h + conv(B_n(… B_1(h))))), h = conv(x), B(y) = y + 0.2·conv(ReLU(conv(y))). With a
// second input r, which stands behind x as s² channels, it is r in place of U(x).

#include <cstddef>
#include <vector>

#include "oracle/convolve_oracle.hpp"
#include "oracle/resample_oracle.hpp"

namespace dsasrgs::oracle {

struct ResidualNetwork {
  int scale, channels, blocks, outputs;  ///< outputs: channels of the result
  bool reads_render = false;

  struct Outcome {
    std::vector<std::vector<double>> sharp, log_error;  ///< by image, [sH,sW]; no log_error with one output
  };

  /// `parameters` are, layer by layer in the formula's order from the inside, weights [O,I,3,3] and biases [O]; `image`
  /// is [N,1,H,W], or [N,1 + s²,H,W].
  Outcome forward(const std::vector<double>& parameters, const std::vector<float>& image, int images, int width,
                  int height) const {
    std::size_t used = 0;
    const auto conv = [&](const std::vector<double>& x, int in, int out, bool relu) {
      const auto take = [&](int n) {
        const std::vector<double> part(parameters.begin() + static_cast<std::ptrdiff_t>(used),
                                       parameters.begin() + static_cast<std::ptrdiff_t>(used) + n);
        used += static_cast<std::size_t>(n);
        return part;
      };
      Convolve layer{images, in, out, width, height, relu, false, {}, {}};
      layer.weights = take(out * in * 9);
      layer.bias = take(out);
      return layer.forward(x);
    };
    const auto add = [](std::vector<double> a, double weight, const std::vector<double>& b) {
      for (std::size_t i = 0; i < a.size(); ++i) a[i] += weight * b[i];
      return a;
    };
    const int inputs = reads_render ? 1 + scale * scale : 1;
    const std::vector<double> h = conv({image.begin(), image.end()}, inputs, channels, false);
    std::vector<double> y = h;
    for (int block = 0; block < blocks; ++block) {
      const std::vector<double> inner = conv(y, channels, channels, true);
      y = add(y, 0.2, conv(inner, channels, channels, false));
    }
    const std::vector<double> sum = add(h, 1, conv(y, channels, channels, false));
    const std::vector<double> last = conv(sum, channels, outputs * scale * scale, false);

    Outcome outcome;
    const int pixels = width * height;
    // Channels from `first` on as one fine image.
    const auto shuffled = [&](const auto& all, int first) {
      std::vector<double> fine;
      for (int row = 0; row < scale * height; ++row)
        for (int column = 0; column < scale * width; ++column) {
          const int from = first + row % scale * scale + column % scale;
          fine.push_back(
              static_cast<double>(all[static_cast<std::size_t>(from * pixels + row / scale * width + column / scale)]));
        }
      return fine;
    };
    for (int n = 0; n < images; ++n)
      for (int o = 0; o < outputs; ++o) {
        std::vector<double> fine = shuffled(last, (n * outputs + o) * scale * scale);
        if (o == 1) {
          outcome.log_error.push_back(std::move(fine));
          continue;
        }
        if (reads_render) {
          outcome.sharp.push_back(add(std::move(fine), 1, shuffled(image, n * inputs + 1)));
          continue;
        }
        const std::vector<float> low(image.begin() + n * pixels, image.begin() + (n + 1) * pixels);
        outcome.sharp.push_back(add(std::move(fine), 1, test::upsample_oracle(low, width, height, scale)));
      }
    return outcome;
  }
};

}  // namespace dsasrgs::oracle
