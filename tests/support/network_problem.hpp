// SPDX-License-Identifier: Apache-2.0
#pragma once
// A super-resolution network with random data, on a backend.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "network/residual_network.hpp"
#include "oracle/residual_network_oracle.hpp"
#include "support/random_values.hpp"

namespace dsasrgs::test {

struct NetworkProblem {
  explicit NetworkProblem(const NetworkShape& shape, const NetworkBatch& b, std::uint32_t seed = 3)
      : network(shape),
        batch(b),
        parameters(random_values<float>(network.num_parameters(), -0.3f, 0.3f, seed)),
        image(random_values<float>(batch.size() * static_cast<std::size_t>(shape.inputs()), -0.5f, 1.5f, seed + 1)),
        grad_output(random_values<float>(batch.size() * fine_per_pixel(), -1, 1, seed + 2)) {}

  /// Numbers of the output for a measured pixel.
  std::size_t fine_per_pixel() const {
    return static_cast<std::size_t>(network.shape().scale * network.shape().scale * network.outputs());
  }

  std::vector<float> forward(Context& ctx, NetworkMemory& memory, bool keep) const {
    const auto p = Buffer<float>::from_host(ctx, parameters), x = Buffer<float>::from_host(ctx, image);
    auto y = Buffer<float>::from_host(ctx, std::vector<float>(grad_output.size(), 99));
    network.forward(ctx, p, batch, x, keep, memory, y);
    return y.to_host(ctx);
  }
  std::vector<float> forward(Context& ctx, bool keep = false) const {
    NetworkMemory memory;
    return forward(ctx, memory, keep);
  }
  /// Added to an array full of `before`, after a forward that kept.
  std::vector<float> gradient(Context& ctx, float before = 0) const {
    NetworkMemory memory;
    forward(ctx, memory, true);
    const auto p = Buffer<float>::from_host(ctx, parameters), x = Buffer<float>::from_host(ctx, image),
               g = Buffer<float>::from_host(ctx, grad_output);
    auto found = Buffer<float>::from_host(ctx, std::vector<float>(parameters.size(), before));
    network.backward(ctx, p, batch, x, g, memory, found);
    return found.to_host(ctx);
  }
  /// Image n alone.
  NetworkProblem single(int n) const {
    NetworkProblem one = *this;
    one.batch.images = 1;
    const auto part = [&](const std::vector<float>& all) {
      const auto size = static_cast<std::ptrdiff_t>(all.size()) / batch.images;
      return std::vector<float>(all.begin() + n * size, all.begin() + (n + 1) * size);
    };
    one.image = part(image);
    one.grad_output = part(grad_output);
    return one;
  }

  oracle::ResidualNetwork::Outcome expected(const std::vector<double>& at) const {
    const NetworkShape& s = network.shape();
    return oracle::ResidualNetwork{s.scale, s.channels, s.blocks, network.outputs(), s.reads_render}.forward(
        at, image, batch.images, batch.width_px, batch.height_px);
  }
  std::vector<double> doubles() const { return {parameters.begin(), parameters.end()}; }

  ResidualNetwork network;
  NetworkBatch batch;
  std::vector<float> parameters, image, grad_output;
};

}  // namespace dsasrgs::test
