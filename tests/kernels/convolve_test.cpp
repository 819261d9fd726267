// SPDX-License-Identifier: Apache-2.0
#include "convolve/convolve.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "convolve/convolve_math.hpp"
#include "dsasrgs/error.hpp"
#include "support/context.hpp"
#include "support/convolve_problem.hpp"
#include "support/gradient.hpp"

using namespace dsasrgs;
using test::ConvolveProblem;

namespace {

constexpr auto kRelu = ConvolveActivation::relu;
constexpr auto kNone = ConvolveActivation::none;

/// Shapes beside the CPU's tiles of 48 × 8 pixels, vectors and blocks of channels and CUDA's tiles of 16 × 16 pixels
/// and channels, with the network's layers among them, and more tiles than parts of a sum.
std::vector<ConvolveProblem> problems(ConvolvePrecision precision = ConvolvePrecision::fp32) {
  std::vector<ConvolveProblem> all;
  for (const auto& [images, inputs, outputs, width, height] : std::vector<std::array<int, 5>>{{1, 1, 1, 1, 1},
                                                                                              {2, 3, 5, 17, 9},
                                                                                              {1, 32, 32, 48, 8},
                                                                                              {1, 1, 32, 49, 17},
                                                                                              {2, 32, 16, 20, 5},
                                                                                              {1, 9, 17, 65, 3},
                                                                                              {1, 2, 8, 1, 33},
                                                                                              {3, 8, 9, 31, 1},
                                                                                              {70, 1, 2, 5, 9}})
    for (const ConvolveActivation activation : {kNone, kRelu})
      all.emplace_back(ConvolveShape{images, inputs, outputs, width, height, activation, precision});
  return all;
}

/// The channels, rows and columns of images that lie in a window.
std::vector<float> window(const std::vector<float>& images, int width, int height, int left, int top, int across,
                          int down) {
  std::vector<float> part;
  const std::size_t plane = static_cast<std::size_t>(width * height);
  for (std::size_t c = 0; c < images.size() / plane; ++c)
    for (int r = top; r < top + down; ++r)
      for (int x = left; x < left + across; ++x)
        part.push_back(images[c * plane + static_cast<std::size_t>(r * width + x)]);
  return part;
}

}  // namespace

TEST_CASE("convolve: a kernel of one 1 moves the image, and zeros come in", "[convolve]") {
  Context ctx = test::make_context();
  ConvolveProblem problem({2, 1, 1, 19, 11});
  problem.bias = {0};
  for (int tap = 0; tap < 9; ++tap) {
    problem.weights.assign(9, 0.0f);
    problem.weights[static_cast<std::size_t>(tap)] = 1;
    const auto found = problem.forward(ctx);
    for (int n = 0; n < 2; ++n)
      for (int r = 0; r < 11; ++r)
        for (int c = 0; c < 19; ++c) {
          const int from_r = r + tap / 3 - 1, from_c = c + tap % 3 - 1;
          const bool inside = from_r >= 0 && from_r < 11 && from_c >= 0 && from_c < 19;
          const float expected =
              inside ? problem.image[static_cast<std::size_t>((n * 11 + from_r) * 19 + from_c)] : 0.0f;
          REQUIRE(found[static_cast<std::size_t>((n * 11 + r) * 19 + c)] == expected);
        }
  }
}

TEST_CASE("convolve: a box of ones counts the pixels inside the image, channel by channel", "[convolve]") {
  Context ctx = test::make_context();
  // Image channels are all 1 and all 10; output 0 takes the first, output 1 the second twice and 0.5 of bias.
  ConvolveProblem problem({1, 2, 2, 5, 4});
  problem.image.assign(40, 1.0f);
  std::fill_n(problem.image.begin() + 20, 20, 10.0f);
  problem.weights.assign(36, 0.0f);
  std::fill_n(problem.weights.begin(), 9, 1.0f);
  std::fill_n(problem.weights.begin() + 27, 9, 2.0f);
  problem.bias = {0, 0.5f};
  std::vector<float> expected;
  for (int o = 0; o < 2; ++o)
    for (int r = 0; r < 4; ++r)
      for (int c = 0; c < 5; ++c) {
        const int inside = (r == 0 || r == 3 ? 2 : 3) * (c == 0 || c == 4 ? 2 : 3);
        expected.push_back(o == 0 ? static_cast<float>(inside) : 20.0f * static_cast<float>(inside) + 0.5f);
      }
  CHECK(problem.forward(ctx) == expected);
}

TEST_CASE("convolve: without weights there is the bias, and ReLU closes a negative one", "[convolve]") {
  Context ctx = test::make_context();
  ConvolveProblem problem({1, 3, 2, 7, 3, kRelu});
  problem.weights.assign(problem.weights.size(), 0.0f);
  problem.bias = {1.25f, -2};
  std::vector<float> expected(42, 0.0f);
  std::fill_n(expected.begin(), 21, 1.25f);
  CHECK(problem.forward(ctx) == expected);
  const auto gradients = problem.backward(ctx);
  double open = 0;
  for (std::size_t p = 0; p < 21; ++p) open += static_cast<double>(problem.grad_output[p]);
  CHECK(static_cast<double>(gradients.bias[0]) == Approx(open).epsilon(1e-6));
  CHECK(gradients.bias[1] == 0);
  for (std::size_t i = 27; i < 54; ++i) CHECK(gradients.weights[i] == 0);  // of the closed channel
}

TEST_CASE("convolve: the oracle's gradients agree with central differences", "[convolve]") {
  for (const ConvolveActivation activation : {kNone, kRelu}) {
    const ConvolveProblem problem({2, 2, 3, 4, 3, activation});
    const auto oracle = problem.oracle();
    const auto x = ConvolveProblem::doubles(problem.image), g = ConvolveProblem::doubles(problem.grad_output);
    const auto gradients = oracle.vjp(x, g);
    const auto of_image = [&](const std::vector<double>& v) { return test::inner_product(oracle.forward(v), g); };
    const auto of_weights = [&](const std::vector<double>& v) {
      auto moved = oracle;
      moved.weights = v;
      return test::inner_product(moved.forward(x), g);
    };
    const auto of_bias = [&](const std::vector<double>& v) {
      auto moved = oracle;
      moved.bias = v;
      return test::inner_product(moved.forward(x), g);
    };
    CHECK(test::relative_l2(gradients.image, test::numeric_gradient(of_image, x)) < 1e-8);
    CHECK(test::relative_l2(gradients.weights, test::numeric_gradient(of_weights, oracle.weights)) < 1e-8);
    CHECK(test::relative_l2(gradients.bias, test::numeric_gradient(of_bias, oracle.bias)) < 1e-8);
  }
}

TEST_CASE("convolve: forward and backward agree with the double oracle", "[convolve]") {
  Context ctx = test::make_context();
  for (const ConvolveProblem& problem : problems()) {
    INFO(problem.described());
    CHECK(test::relative_l2(problem.forward(ctx), problem.expected_output()) < 5e-7);
    const auto found = problem.backward(ctx);
    const auto expected = problem.expected_gradients();
    CHECK(test::relative_l2(found.image, expected.image) < 5e-7);
    CHECK(test::relative_l2(found.weights, expected.weights) < 2e-6);
    CHECK(test::relative_l2(found.bias, expected.bias) < 2e-6);
  }
}

TEST_CASE("convolve: the gradients are the adjoints in image, weights and bias", "[convolve]") {
  Context ctx = test::make_context();
  ConvolveProblem problem({2, 6, 10, 37, 13});
  problem.bias.assign(10, 0.0f);
  const double product = test::inner_product(problem.forward(ctx), problem.grad_output);
  const auto adjoint = problem.backward(ctx);
  CHECK(test::inner_product(problem.image, adjoint.image) == Approx(product).epsilon(1e-5));
  CHECK(test::inner_product(problem.weights, adjoint.weights) == Approx(product).epsilon(1e-5));
  problem.bias = test::random_values<float>(10, -1, 1, 3);
  problem.weights.assign(problem.weights.size(), 0.0f);
  CHECK(test::inner_product(problem.bias, adjoint.bias) ==
        Approx(test::inner_product(problem.forward(ctx), problem.grad_output)).epsilon(1e-5));
}

TEST_CASE("convolve: a part of an image gives the bits of the whole", "[convolve]") {
  Context ctx = test::make_context();
  for (const ConvolvePrecision precision : {ConvolvePrecision::fp32, ConvolvePrecision::bf16}) {
    const ConvolveProblem whole({1, 5, 9, 101, 37, kRelu, precision});
    // Without ReLU, so that the gradient of the image has no other input than the output's.
    ConvolveProblem linear = whole;
    linear.shape.activation = kNone;
    const auto output = whole.forward(ctx), grad_image = linear.backward(ctx).image;
    // Left, top, width, height of parts with a pixel of margin all around.
    for (const auto& [left, top, across, down] : std::vector<std::array<int, 4>>{
             {0, 0, 3, 3}, {13, 5, 51, 19}, {1, 2, 50, 11}, {37, 1, 64, 35}, {45, 20, 20, 17}, {2, 3, 99, 5}}) {
      CAPTURE(left, top, across, down);
      ConvolveProblem part({1, 5, 9, across, down, kRelu, precision});
      part.weights = whole.weights;
      part.bias = whole.bias;
      part.image = window(whole.image, 101, 37, left, top, across, down);
      part.grad_output = window(whole.grad_output, 101, 37, left, top, across, down);
      CHECK(window(part.forward(ctx), across, down, 1, 1, across - 2, down - 2) ==
            window(output, 101, 37, left + 1, top + 1, across - 2, down - 2));
      part.shape.activation = kNone;
      CHECK(window(part.backward(ctx).image, across, down, 1, 1, across - 2, down - 2) ==
            window(grad_image, 101, 37, left + 1, top + 1, across - 2, down - 2));
    }
  }
}

TEST_CASE("convolve: same bits for 1 and 2 threads, and for images alone", "[convolve]") {
  const ConvolveProblem problem({5, 12, 20, 53, 21, kRelu});
  Context one = test::make_context(1), two = test::make_context(2);
  const auto output = problem.forward(one);
  CHECK(output == problem.forward(two));
  CHECK(problem.backward(one) == problem.backward(two));
  ConvolveProblem alone = problem;
  alone.shape.images = 1;
  const std::size_t size = alone.image.size() / 5;
  alone.image.assign(problem.image.begin() + static_cast<std::ptrdiff_t>(2 * size),
                     problem.image.begin() + static_cast<std::ptrdiff_t>(3 * size));
  alone.grad_output.resize(output.size() / 5);
  const auto third = static_cast<std::ptrdiff_t>(output.size() / 5 * 2);
  CHECK(alone.forward(two) == std::vector<float>(output.begin() + third, output.begin() + third / 2 * 3));
}

TEST_CASE("convolve: gradients of weights and bias are added, that of the image follows the mode", "[convolve]") {
  Context ctx = test::make_context();
  const ConvolveProblem problem({2, 6, 5, 23, 10, kRelu});
  const auto plain = problem.backward(ctx), over = problem.backward(ctx, GradientMode::overwrite, 3),
             added = problem.backward(ctx, GradientMode::accumulate, 3);
  CHECK(over.image == plain.image);
  CHECK(over.weights == added.weights);
  CHECK(over.bias == added.bias);
  for (std::size_t i = 0; i < plain.image.size(); ++i) REQUIRE(added.image[i] == 3 + plain.image[i]);
  for (std::size_t i = 0; i < plain.weights.size(); ++i) REQUIRE(added.weights[i] == 3 + plain.weights[i]);
  for (std::size_t i = 0; i < plain.bias.size(); ++i) REQUIRE(added.bias[i] == 3 + plain.bias[i]);
}

TEST_CASE("convolve: an empty view of a gradient is skipped, and the others are as with it", "[convolve]") {
  Context ctx = test::make_context();
  const ConvolveProblem problem({1, 3, 4, 18, 7});
  const auto all = problem.backward(ctx);
  const auto w = Buffer<float>::from_host(ctx, problem.weights), b = Buffer<float>::from_host(ctx, problem.bias),
             x = Buffer<float>::from_host(ctx, problem.image), g = Buffer<float>::from_host(ctx, problem.grad_output);
  auto gx = Buffer<float>::zeros(ctx, all.image.size()), gw = Buffer<float>::zeros(ctx, all.weights.size()),
       gb = Buffer<float>::zeros(ctx, all.bias.size());
  ConvolveScratch scratch;
  convolve_backward(ctx, {problem.shape, w, b, x}, {}, g, {gx, {}, {}}, scratch);  // without ReLU no output is needed
  CHECK(gx.to_host(ctx) == all.image);
  convolve_backward(ctx, {problem.shape, w, b, x}, {}, g, {{}, gw, gb}, scratch);
  CHECK(gw.to_host(ctx) == all.weights);
  CHECK(gb.to_host(ctx) == all.bias);
}

TEST_CASE("convolve: bf16 rounds image, weights and gradients, and nothing else", "[convolve]") {
  Context ctx = test::make_context();
  for (const ConvolveProblem& problem : problems(ConvolvePrecision::bf16)) {
    INFO(problem.described());
    const auto output = problem.forward(ctx);
    CHECK(test::relative_l2(output, problem.expected_output()) < 5e-7);
    const auto found = problem.backward(ctx);
    const auto expected = problem.expected_gradients();
    CHECK(test::relative_l2(found.image, expected.image) < 5e-7);
    CHECK(test::relative_l2(found.weights, expected.weights) < 2e-6);
    CHECK(test::relative_l2(found.bias, expected.bias) < 2e-6);
    if (problem.pixels() < 100) continue;  // too few numbers to judge by
    ConvolveProblem unrounded = problem;
    unrounded.shape.precision = ConvolvePrecision::fp32;
    const double error = test::relative_l2(output, unrounded.expected_output());
    CHECK((error > 1e-4 && error < 1e-2));
  }
}

TEST_CASE("convolve: CUDA agrees with the CPU", "[convolve][parity]") {
  Context cpu = Context::cpu(1), cuda = test::make_context();
  ConvolveScratch scratch;  // one for all
  double output = 0, image = 0, weights = 0, bias = 0;
  for (const ConvolvePrecision precision : {ConvolvePrecision::fp32, ConvolvePrecision::bf16})
    for (const ConvolveProblem& problem : problems(precision)) {
      INFO(problem.described());
      const auto y = problem.forward(cpu);
      output = std::max(output, test::relative_l2(problem.forward(cuda), y));
      for (const GradientMode mode : {GradientMode::overwrite, GradientMode::accumulate}) {
        ConvolveScratch none;
        const auto expected = problem.backward(cpu, y, none, mode, 0.25f);
        const auto found = problem.backward(cuda, y, scratch, mode, 0.25f);
        image = std::max(image, test::relative_l2(found.image, expected.image));
        weights = std::max(weights, test::relative_l2(found.weights, expected.weights));
        bias = std::max(bias, test::relative_l2(found.bias, expected.bias));
        CHECK(problem.backward(cuda, y, scratch, mode, 0.25f) == found);
      }
    }
  CAPTURE(output, image, weights, bias);
  CHECK(output < 1e-6);
  CHECK(image < 1e-6);
  CHECK(weights < 3e-6);
  CHECK(bias < 3e-6);
}

TEST_CASE("convolve: NaN reaches its neighbours, through the ReLU, and nobody else", "[convolve]") {
  Context ctx = test::make_context();
  for (const ConvolvePrecision precision : {ConvolvePrecision::fp32, ConvolvePrecision::bf16}) {
    ConvolveProblem problem({1, 1, 2, 20, 6, kRelu, precision});
    problem.image[2 * 20 + 16] = std::numeric_limits<float>::quiet_NaN();
    const auto found = problem.forward(ctx);
    for (int p = 0; p < 240; ++p) {
      const int row = p / 20 % 6, column = p % 20;
      const bool near = row >= 1 && row <= 3 && column >= 15 && column <= 17;
      CHECK(std::isnan(found[static_cast<std::size_t>(p)]) == near);
    }
  }
}

TEST_CASE("convolve: nothing to do for no images, and each documented error", "[convolve]") {
  Context ctx = test::make_context();
  const ConvolveShape shape{1, 2, 3, 4, 5, kRelu};
  const View<float> none;
  auto w = Buffer<float>::zeros(ctx, 54), b = Buffer<float>::zeros(ctx, 3), x = Buffer<float>::zeros(ctx, 40),
       y = Buffer<float>::zeros(ctx, 60), wrong = Buffer<float>::zeros(ctx, 7);
  ConvolveScratch scratch;
  const auto forward = [&](const ConvolveShape& s, View<const float> weights, View<const float> bias,
                           View<const float> image, View<float> output) {
    convolve_forward(ctx, {s, weights, bias, image}, output);
  };
  ConvolveShape empty = shape;
  empty.images = 0;
  CHECK_NOTHROW(forward(empty, w, b, none, none));
  CHECK_NOTHROW(convolve_backward(ctx, {empty, w, b, none}, none, none, {none, w, b}, scratch));
  CHECK_NOTHROW(forward(shape, w, b, x, y));

  const auto bad = [&](auto&& change) {
    ConvolveShape s = shape;
    change(s);
    CHECK_THROWS_AS(forward(s, w, b, x, y), InvalidArgument);
    CHECK_THROWS_AS(convolve_backward(ctx, {s, w, b, x}, y, y, {x, w, b}, scratch), InvalidArgument);
  };
  bad([](ConvolveShape& s) { s.images = -1; });
  bad([](ConvolveShape& s) { s.images = 2; });
  bad([](ConvolveShape& s) { s.inputs = 0; });
  bad([](ConvolveShape& s) { s.outputs = kConvolveMaxChannels + 1; });
  bad([](ConvolveShape& s) { s.width_px = 0; });
  bad([](ConvolveShape& s) { s.height_px = -5; });
  bad([](ConvolveShape& s) { s.width_px = s.height_px = std::numeric_limits<int>::max(); });

  CHECK_THROWS_WITH(forward(shape, wrong, b, x, y), "convolve_forward: weights: expected 54 elements, found 7");
  CHECK_THROWS_WITH(forward(shape, w, wrong, x, y), "convolve_forward: bias: expected 3 elements, found 7");
  CHECK_THROWS_WITH(forward(shape, w, b, wrong, y), "convolve_forward: image: expected 40 elements, found 7");
  CHECK_THROWS_WITH(forward(shape, w, b, x, wrong), "convolve_forward: output: expected 60 elements, found 7");
  const auto backward = [&](View<const float> output, View<const float> grad, const ConvolveGradient& gradient) {
    convolve_backward(ctx, {shape, w, b, x}, output, grad, gradient, scratch);
  };
  CHECK_THROWS_WITH(backward(none, y, {none, w, b}), "convolve_backward: output: expected 60 elements, found 0");
  CHECK_THROWS_WITH(backward(y, wrong, {none, w, b}), "convolve_backward: grad_output: expected 60 elements, found 7");
  CHECK_THROWS_WITH(backward(y, y, {wrong, w, b}), "convolve_backward: gradient image: expected 40 elements, found 7");
  CHECK_THROWS_WITH(backward(y, y, {none, wrong, b}),
                    "convolve_backward: gradient weights: expected 54 elements, found 7");
  CHECK_THROWS_WITH(backward(y, y, {none, w, none}), "convolve_backward: gradient bias: expected 3 elements, found 0");
}
