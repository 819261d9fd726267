// SPDX-License-Identifier: Apache-2.0
// The super-resolution network as a whole: its layers are tested in tests/kernels.
#include "network/residual_network.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <set>
#include <vector>

#include "dsasrgs/image.hpp"
#include "label_loss/label_loss.hpp"
#include "network/render_channels.hpp"
#include "oracle/label_loss_oracle.hpp"
#include "resample/resample.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/network_problem.hpp"

using namespace dsasrgs;
using test::NetworkProblem;

namespace {

/// Each with what the others lack: no block, odd scale, one output, several images, images smaller than the reach, a
/// second input.
std::vector<NetworkProblem> problems() {
  std::vector<NetworkProblem> all;
  all.emplace_back(NetworkShape{2, 4, 2, true}, NetworkBatch{1, 12, 12});
  all.emplace_back(NetworkShape{2, 4, 2, false}, NetworkBatch{2, 7, 5});
  all.emplace_back(NetworkShape{3, 3, 0, true}, NetworkBatch{3, 6, 9});
  all.emplace_back(NetworkShape{4, 5, 1, false}, NetworkBatch{1, 1, 2});
  all.emplace_back(NetworkShape{2, 4, 2, true, true}, NetworkBatch{2, 9, 7});
  all.emplace_back(NetworkShape{3, 3, 1, false, true}, NetworkBatch{3, 5, 6});
  return all;
}

std::vector<double> flat(const oracle::ResidualNetwork::Outcome& outcome) {
  std::vector<double> all;
  for (std::size_t n = 0; n < outcome.sharp.size(); ++n) {
    all.insert(all.end(), outcome.sharp[n].begin(), outcome.sharp[n].end());
    if (!outcome.log_error.empty()) all.insert(all.end(), outcome.log_error[n].begin(), outcome.log_error[n].end());
  }
  return all;
}
std::vector<double> joined(const std::vector<std::vector<double>>& images) {
  std::vector<double> all;
  for (const auto& image : images) all.insert(all.end(), image.begin(), image.end());
  return all;
}

}  // namespace

TEST_CASE("residual network: parameters are as many as on paper", "[network]") {
  // 1→32: 320; 17 layers 32→32: 17·9248; 32→16: 4624.
  CHECK(NetworkShape{4, 32, 8, false}.num_parameters() == 162160);
  CHECK(NetworkShape{4, 32, 8, true}.num_parameters() == 162160 + 4624);
  CHECK(NetworkShape{2, 1, 0, false}.num_parameters() == 10 + 10 + 40);
  CHECK(NetworkShape{4, 32, 8, false}.reach_px() == 19);
  CHECK(NetworkShape{4, 32, 8, false, true}.num_parameters() == 162160 + 16 * 288);  // 17→32
  CHECK(NetworkShape{3, 32, 8, false, true}.inputs() == 10);
  const ResidualNetwork network({2, 4, 2, true});
  std::size_t end = 0;
  std::set<std::string> names;
  for (const NetworkLayer& layer : network.layers()) {
    CHECK(layer.weights_at == end);
    CHECK(layer.bias_at == end + layer.num_weights());
    end = layer.bias_at + layer.num_biases();
    names.insert(layer.name);
  }
  CHECK(end == network.num_parameters());
  CHECK(names ==
        std::set<std::string>{"first", "block_0_a", "block_0_b", "block_1_a", "block_1_b", "after_blocks", "last"});
}

TEST_CASE("residual network: the forward is the oracle's", "[network]") {
  Context ctx = test::make_context();
  for (const NetworkProblem& problem : problems())
    CHECK(test::relative_l2(problem.forward(ctx), flat(problem.expected(problem.doubles()))) < 1e-6);
}

TEST_CASE("residual network: it starts as bicubic interpolation, bit for bit, and expects e⁻⁴", "[network]") {
  Context ctx = test::make_context();
  for (NetworkProblem problem : problems()) {
    if (problem.network.shape().reads_render) continue;
    problem.parameters = problem.network.first_parameters(5);
    const int scale = problem.network.shape().scale;
    const auto fine = problem.batch.pixels() * static_cast<std::size_t>(scale * scale);
    const std::vector<float> found = problem.forward(ctx);
    for (int n = 0; n < problem.batch.images; ++n) {
      const NetworkProblem one = problem.single(n);
      Buffer<float> bicubic(ctx, fine);
      upsample_bicubic(ctx, {one.batch.width_px, one.batch.height_px, scale}, Buffer<float>::from_host(ctx, one.image),
                       bicubic);
      std::vector<float> expected = bicubic.to_host(ctx);
      if (problem.network.shape().with_error) expected.resize(2 * fine, -4.0f);
      const auto begin = found.begin() + n * static_cast<std::ptrdiff_t>(expected.size());
      CHECK(std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(expected.size())) == expected);
    }
  }
}

TEST_CASE("residual network: with a second input it starts as the render, bit for bit", "[network]") {
  Context ctx = test::make_context();
  for (NetworkProblem problem : problems()) {
    const NetworkShape shape = problem.network.shape();
    if (!shape.reads_render) continue;
    problem.parameters = problem.network.first_parameters(5);
    const int width = problem.batch.width_px * shape.scale, height = problem.batch.height_px * shape.scale;
    const auto fine = num_elements(width, height);
    std::vector<float> expected;
    for (int n = 0; n < problem.batch.images; ++n) {
      const auto seed = static_cast<std::uint32_t>(20 + n);
      const Image render{width, height, test::random_values<float>(fine, -0.2f, 1, seed)};
      const std::vector<float> channels = render_channels(render, shape.scale);
      const auto stride = problem.image.size() / static_cast<std::size_t>(problem.batch.images);
      std::copy(channels.begin(), channels.end(),
                problem.image.begin() +
                    static_cast<std::ptrdiff_t>(static_cast<std::size_t>(n) * stride + problem.batch.pixels()));
      expected.insert(expected.end(), render.values.begin(), render.values.end());
      if (shape.with_error) expected.insert(expected.end(), fine, -4.0f);
    }
    CHECK(problem.forward(ctx) == expected);
  }
}

TEST_CASE("render channels: what pixel_shuffle puts together again", "[network]") {
  CHECK(render_channels({4, 2, {0, 1, 2, 3, 4, 5, 6, 7}}, 2) == std::vector<float>{0, 2, 1, 3, 4, 6, 5, 7});
  Context ctx = test::make_context();
  for (const int scale : {2, 3, 4}) {
    const Image render{5 * scale, 3 * scale, test::random_values<float>(num_elements(5 * scale, 3 * scale), -1, 1, 2)};
    const auto channels = Buffer<float>::from_host(ctx, render_channels(render, scale));
    Buffer<float> again(ctx, channels.size());
    pixel_shuffle(ctx, {1, 1, 5, 3, scale}, channels, again);
    CHECK(again.to_host(ctx) == render.values);
  }
}

TEST_CASE("residual network: its first weights fill PyTorch's range and follow the seed", "[network]") {
  const ResidualNetwork network({2, 16, 2, true});
  const std::vector<float> first = network.first_parameters(1);
  CHECK(first == network.first_parameters(1));
  CHECK(first != network.first_parameters(2));
  for (const NetworkLayer& layer : network.layers()) {
    INFO(layer.name);
    const std::span<const float> weights = std::span(first).subspan(layer.weights_at, layer.num_weights());
    double sum = 0, largest = 0;
    for (const float w : weights) {
      sum += static_cast<double>(w);
      largest = std::max(largest, std::abs(static_cast<double>(w)));
    }
    const double bound = 1 / std::sqrt(9.0 * layer.inputs);
    if (layer.name == "last") {
      CHECK(largest == 0);
      continue;
    }
    CHECK(largest <= bound);
    CHECK(largest > 0.9 * bound);
    // The mean of n numbers uniform in ±b has standard deviation b/√(3n).
    CHECK(std::abs(sum) < 4 * bound * std::sqrt(static_cast<double>(weights.size()) / 3));
  }
}

TEST_CASE("residual network: gradients of all parameters are differences of the oracle's loss", "[network][gradient]") {
  Context ctx = test::make_context();
  constexpr float kWeight = 0.7f;
  for (const NetworkShape& shape :
       {NetworkShape{2, 3, 2, true}, NetworkShape{2, 3, 2, false}, NetworkShape{2, 3, 1, true, true}}) {
    const bool with_error = shape.with_error;
    NetworkProblem problem(shape, {2, 4, 3});
    const auto start = problem.expected(problem.doubles());
    // Far enough from the output that no difference crosses a kink of L1.
    const std::vector<double> sharp = joined(start.sharp), log_error = joined(start.log_error);
    std::vector<float> target = test::random_values<float>(sharp.size(), 0.1f, 0.9f, 8);
    std::vector<double> true_target, fixed;
    for (std::size_t i = 0; i < target.size(); ++i) {
      target[i] = static_cast<float>(sharp[i]) + (i % 3 == 0 ? 1 : -1) * target[i];
      true_target.push_back(static_cast<double>(target[i]));
      fixed.push_back(std::abs(sharp[i] - true_target[i]));
    }
    for (const double s : log_error) REQUIRE((s > -9 && s < 2));  // where the loss clamps
    const auto loss = [&](const std::vector<double>& parameters) {
      const auto at = problem.expected(parameters);
      const auto sums = test::label_loss_oracle(joined(at.sharp), joined(at.log_error), true_target, fixed);
      return sums.l1 + static_cast<double>(kWeight) * sums.error;
    };
    const std::vector<double> expected = test::numeric_gradient(loss, problem.doubles(), 1e-6);

    const auto prediction = Buffer<float>::from_host(ctx, problem.forward(ctx));
    Buffer<float> gradient(ctx, prediction.size());
    label_loss(ctx, {2, 4 * problem.batch.pixels(), with_error, kWeight}, prediction,
               Buffer<float>::from_host(ctx, target), gradient);
    problem.grad_output = gradient.to_host(ctx);
    const std::vector<float> found = problem.gradient(ctx);
    CHECK(test::relative_l2(found, expected) < 1e-5);
    for (const NetworkLayer& layer : problem.network.layers()) {  // small ones too
      INFO(layer.name);
      const auto part = [&](const auto& all) {
        return std::vector<double>(all.begin() + static_cast<std::ptrdiff_t>(layer.weights_at),
                                   all.begin() + static_cast<std::ptrdiff_t>(layer.bias_at + layer.num_biases()));
      };
      CHECK(test::relative_l2(part(found), part(expected)) < 1e-5);
    }
    // What was there before stays.
    std::vector<float> added = problem.gradient(ctx, 0.5f);
    for (float& g : added) g -= 0.5f;
    CHECK(test::max_difference(added, found) < 1e-6);
  }
}

TEST_CASE("residual network: neither keeping, threads nor the batch change a bit", "[network]") {
  Context ctx = test::make_context(), other = test::make_context(1);
  NetworkMemory memory;  // one for all
  for (const NetworkProblem& problem : problems()) {
    const std::vector<float> expected = problem.forward(ctx);
    CHECK(problem.forward(ctx, true) == expected);
    CHECK(problem.forward(ctx, memory, true) == expected);
    CHECK(problem.forward(ctx, memory, false) == expected);
    CHECK(problem.forward(other) == expected);
    CHECK(problem.gradient(other) == problem.gradient(ctx));
    std::vector<float> one_by_one;
    for (int n = 0; n < problem.batch.images; ++n) {
      const std::vector<float> one = problem.single(n).forward(ctx);
      one_by_one.insert(one_by_one.end(), one.begin(), one.end());
    }
    CHECK(one_by_one == expected);
  }
}

TEST_CASE("residual network: CUDA agrees with the CPU", "[network][parity]") {
  Context cpu = Context::cpu(1), cuda = test::make_context();
  for (const NetworkProblem& problem : problems()) {
    CHECK(test::relative_l2(problem.forward(cuda), problem.forward(cpu)) < 1e-6);
    CHECK(test::relative_l2(problem.gradient(cuda), problem.gradient(cpu)) < 1e-5);
  }
}
