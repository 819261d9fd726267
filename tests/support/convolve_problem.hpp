// SPDX-License-Identifier: Apache-2.0
#pragma once
// A layer of 3×3 convolution with random data, on a backend and in the oracle.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "convolve/convolve.hpp"
#include "oracle/convolve_oracle.hpp"
#include "support/random_values.hpp"

namespace dsasrgs::test {

struct ConvolveProblem {
  explicit ConvolveProblem(const ConvolveShape& s, std::uint32_t seed = 7)
      : shape(s),
        weights(random_values<float>(channels(s.outputs) * channels(s.inputs) * 9, -0.3f, 0.3f, seed)),
        bias(random_values<float>(channels(s.outputs), -0.3f, 0.3f, seed + 1)),
        image(random_values<float>(pixels() * channels(s.inputs), -1, 1, seed + 2)),
        grad_output(random_values<float>(pixels() * channels(s.outputs), -1, 1, seed + 3)) {}

  static std::size_t channels(int n) { return static_cast<std::size_t>(n); }
  /// Of all images.
  std::size_t pixels() const {
    return static_cast<std::size_t>(shape.images) * static_cast<std::size_t>(shape.width_px) *
           static_cast<std::size_t>(shape.height_px);
  }
  std::string described() const {
    return std::to_string(shape.images) + " images, " + std::to_string(shape.inputs) + " → " +
           std::to_string(shape.outputs) + " channels, " + std::to_string(shape.width_px) + " × " +
           std::to_string(shape.height_px) + " px";
  }

  std::vector<float> forward(Context& ctx) const {
    const auto w = Buffer<float>::from_host(ctx, weights), b = Buffer<float>::from_host(ctx, bias),
               x = Buffer<float>::from_host(ctx, image);
    auto y = Buffer<float>::from_host(ctx, std::vector<float>(grad_output.size(), 99));
    convolve_forward(ctx, {shape, w, b, x}, y);
    return y.to_host(ctx);
  }

  struct Gradients {
    std::vector<float> image, weights, bias;
    bool operator==(const Gradients&) const = default;
  };
  /// Gradients added to (or, for the image, written over) arrays full of `before`, through the output of `forward`.
  Gradients backward(Context& ctx, const std::vector<float>& output, ConvolveScratch& scratch,
                     GradientMode mode = GradientMode::overwrite, float before = 0) const {
    const auto full = [&](std::size_t n) { return Buffer<float>::from_host(ctx, std::vector<float>(n, before)); };
    const auto w = Buffer<float>::from_host(ctx, weights), b = Buffer<float>::from_host(ctx, bias),
               x = Buffer<float>::from_host(ctx, image), y = Buffer<float>::from_host(ctx, output),
               g = Buffer<float>::from_host(ctx, grad_output);
    auto gx = full(image.size()), gw = full(weights.size()), gb = full(bias.size());
    convolve_backward(ctx, {shape, w, b, x}, y, g, {gx, gw, gb, mode}, scratch);
    return {gx.to_host(ctx), gw.to_host(ctx), gb.to_host(ctx)};
  }
  Gradients backward(Context& ctx, GradientMode mode = GradientMode::overwrite, float before = 0) const {
    ConvolveScratch scratch;
    return backward(ctx, forward(ctx), scratch, mode, before);
  }

  static std::vector<double> doubles(const std::vector<float>& v) { return {v.begin(), v.end()}; }
  oracle::Convolve oracle() const {
    return {shape.images,
            shape.inputs,
            shape.outputs,
            shape.width_px,
            shape.height_px,
            shape.activation == ConvolveActivation::relu,
            shape.precision == ConvolvePrecision::bf16,
            doubles(weights),
            doubles(bias)};
  }
  std::vector<double> expected_output() const { return oracle().forward(doubles(image)); }
  oracle::Convolve::Gradients expected_gradients() const { return oracle().vjp(doubles(image), doubles(grad_output)); }

  ConvolveShape shape;
  std::vector<float> weights, bias, image, grad_output;
};

}  // namespace dsasrgs::test
