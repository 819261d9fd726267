// SPDX-License-Identifier: Apache-2.0
#include "mlp/mlp.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "dsasrgs/error.hpp"
#include "mlp/mlp_math.hpp"
#include "oracle/mlp_oracle.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;

namespace {

oracle::Mlp oracle_of(const MlpShape& s, const std::vector<float>& parameters) {
  oracle::Mlp o;
  o.sizes.push_back(static_cast<std::size_t>(s.inputs));
  for (int l = 0; l < s.hidden_layers; ++l) o.sizes.push_back(static_cast<std::size_t>(s.width));
  o.sizes.push_back(1);
  o.bf16 = s.precision == MlpPrecision::bf16;
  o.sharpness = s.output == OutputActivation::softplus ? static_cast<double>(s.sharpness) : 0;
  o.parameters.assign(parameters.begin(), parameters.end());
  return o;
}

/// A shape with n points of random data.
struct Problem {
  Problem(const MlpShape& s, std::size_t num_points, std::uint32_t seed = 7)
      : shape(s),
        n(num_points),
        parameters(test::random_values<float>(mlp_num_parameters(s), -0.3f, 0.3f, seed)),
        input(test::random_values<float>(static_cast<std::size_t>(s.inputs) * n, -1, 1, seed + 1)),
        grad_output(test::random_values<float>(n, -1, 1, seed + 2)) {}
  /// The same with nearly every output above zero; without, it is every other one.
  Problem opened() const {
    Problem open = *this;
    open.parameters.back() = 6;
    return open;
  }

  std::vector<double> point(std::size_t p) const {
    std::vector<double> x;
    for (std::size_t f = 0; f < static_cast<std::size_t>(shape.inputs); ++f) x.push_back(input[f * n + p]);
    return x;
  }
  std::vector<float> forward(Context& ctx) const {
    auto output = Buffer<float>::from_host(ctx, std::vector<float>(n, 99));
    const auto p = Buffer<float>::from_host(ctx, parameters), x = Buffer<float>::from_host(ctx, input);
    mlp_forward(ctx, {shape, p, x, gain}, output);
    return output.to_host(ctx);
  }
  struct Gradients {
    std::vector<float> parameters, input;
  };
  /// Gradients added to (or, for the input, written over) arrays full of `before`.
  Gradients backward(Context& ctx, GradientMode mode, float before = 0, bool want_input = true) const {
    MlpScratch scratch;
    return backward(ctx, mode, before, want_input, scratch);
  }
  Gradients backward(Context& ctx, GradientMode mode, float before, bool want_input, MlpScratch& scratch) const {
    auto gp = Buffer<float>::from_host(ctx, std::vector<float>(parameters.size(), before));
    auto gi = Buffer<float>::from_host(ctx, std::vector<float>(want_input ? input.size() : 0, before));
    const auto p = Buffer<float>::from_host(ctx, parameters), x = Buffer<float>::from_host(ctx, input);
    mlp_backward(ctx, {shape, p, x, gain}, Buffer<float>::from_host(ctx, grad_output), {gp, gi, mode}, scratch);
    return {gp.to_host(ctx), gi.to_host(ctx)};
  }
  struct Expected {
    std::vector<double> output, parameters, input;
  };
  /// From the oracle.
  Expected expected() const {
    const auto o = oracle_of(shape, parameters);
    Expected e{{}, std::vector<double>(parameters.size(), 0.0), std::vector<double>(input.size())};
    for (std::size_t p = 0; p < n; ++p) {
      e.output.push_back(double(gain) * o.value(point(p)));
      const auto g = o.vjp(point(p), double(gain) * double(grad_output[p]), e.parameters);
      for (std::size_t f = 0; f < g.size(); ++f) e.input[f * n + p] = g[f];
    }
    return e;
  }

  MlpShape shape;
  std::size_t n;
  std::vector<float> parameters, input, grad_output;
  float gain = 1;
};

/// Shapes and numbers of points beside the blocks of 96 points, the vectors of 16 and the tiles of 6, and one with more
/// blocks than parts.
std::vector<Problem> problems() {
  std::vector<Problem> all;
  for (const auto& [shape, n] : std::vector<std::pair<MlpShape, std::size_t>>{{{48, 64, 2}, 289},
                                                                              {{24, 40, 1}, 95},
                                                                              {{33, 17, 3}, 101},
                                                                              {{5, 1, 1}, 97},
                                                                              {{96, 128, 2}, 13},
                                                                              {{1, 67, 4}, 1}}) {
    all.emplace_back(shape, n);
    all.push_back(all.back().opened());
  }
  all.push_back(Problem({7, 9, 2}, 96 * 70 + 5).opened());
  all.push_back(Problem({256, 256, 1}, 7).opened());
  for (const float sharpness : {1.0f, 10.0f})  // outputs of both signs before it
    all.emplace_back(MlpShape{48, 64, 2, MlpPrecision::fp32, OutputActivation::softplus, sharpness}, 289);
  all.back().gain = 0.03f;
  all.push_back(all.front().opened());
  all.back().gain = -1.7f;
  return all;
}

std::string described(const Problem& problem) {
  return std::to_string(problem.shape.inputs) + " inputs, width " + std::to_string(problem.shape.width) + ", layers " +
         std::to_string(problem.shape.hidden_layers) + ", points " + std::to_string(problem.n);
}

}  // namespace

TEST_CASE("mlp: a hand-made network gives the value worked out by hand", "[mlp]") {
  Context ctx = test::make_context();
  // h = relu([2x + 3y − 1, −x + 4]), y = relu(5h₀ − 2h₁ + 0.5)
  Problem problem({2, 2, 1}, 2);
  problem.parameters = {2, 3, -1, 0, -1, 4, 5, -2, 0.5f};
  problem.input = {1, 6, 2, -5};  // points (1,2) and (6,−5): both ways of each ReLU
  CHECK(problem.forward(ctx) == std::vector<float>{5 * 7 - 2 * 3 + 0.5f, 0.5f});
  problem.parameters[8] = -40;
  CHECK(problem.forward(ctx) == std::vector<float>{0, 0});
}

TEST_CASE("mlp: the oracle's gradients agree with central differences", "[mlp]") {
  const Problem problem = Problem({4, 5, 2}, 1).opened();
  auto o = oracle_of(problem.shape, problem.parameters);
  std::vector<double> grad(o.parameters.size(), 0.0);
  const auto x = problem.point(0);
  const auto grad_x = o.vjp(x, 0.8, grad);
  CHECK(test::relative_l2(grad_x, test::numeric_gradient([&](const auto& v) { return 0.8 * o.value(v); }, x)) < 1e-6);
  const auto of_parameters = [&](const std::vector<double>& p) {
    auto moved = o;
    moved.parameters = p;
    return 0.8 * moved.value(x);
  };
  CHECK(test::relative_l2(grad, test::numeric_gradient(of_parameters, o.parameters)) < 1e-6);
}

TEST_CASE("mlp: forward and backward agree with the double oracle", "[mlp]") {
  Context ctx = test::make_context();
  for (const Problem& problem : problems()) {
    INFO(described(problem));
    const auto expected = problem.expected();
    const auto output = problem.forward(ctx);
    CHECK(test::max_difference(output, expected.output) < 1e-5);
    CHECK(test::relative_l2(output, expected.output) < 2e-6);
    const auto found = problem.backward(ctx, GradientMode::overwrite);
    CHECK(test::relative_l2(found.parameters, expected.parameters) < 3e-6);
    CHECK(test::relative_l2(found.input, expected.input) < 3e-6);
  }
}

TEST_CASE("mlp: with the weights fixed and no ReLU closed the input gradient is the adjoint", "[mlp]") {
  Context ctx = test::make_context();
  Problem problem({48, 64, 2}, 203);
  for (int l = 0; l < 2; ++l) {  // large biases keep every hidden unit open, so the network is affine
    const MlpLayer layer = mlp_layer(problem.shape, l);
    for (std::size_t o = 0; o < layer.outputs; ++o) problem.parameters[layer.biases + o] = l == 0 ? 5.0f : 40.0f;
  }
  problem.parameters.back() = 200;
  Problem at_zero = problem;
  at_zero.input.assign(problem.input.size(), 0.0f);
  auto linear = problem.forward(ctx);
  const auto constant = at_zero.forward(ctx);
  REQUIRE(*std::min_element(linear.begin(), linear.end()) > 0);
  for (std::size_t p = 0; p < problem.n; ++p) linear[p] -= constant[p];
  const auto adjoint = problem.backward(ctx, GradientMode::overwrite).input;
  CHECK(test::inner_product(linear, problem.grad_output) ==
        Approx(test::inner_product(problem.input, adjoint)).epsilon(1e-4));
}

TEST_CASE("mlp: gradients of parameters are added, those of the input follow the mode or are skipped", "[mlp]") {
  Context ctx = test::make_context();
  const Problem problem({24, 40, 2}, 131);
  const auto plain = problem.backward(ctx, GradientMode::overwrite);
  const auto over = problem.backward(ctx, GradientMode::overwrite, 3);
  const auto added = problem.backward(ctx, GradientMode::accumulate, 3);
  const auto skipped = problem.backward(ctx, GradientMode::overwrite, 0, false);
  CHECK(over.input == plain.input);
  CHECK(skipped.parameters == plain.parameters);
  CHECK(over.parameters == added.parameters);
  for (std::size_t i = 0; i < plain.input.size(); ++i) REQUIRE(added.input[i] == 3 + plain.input[i]);
  for (std::size_t i = 0; i < plain.parameters.size(); ++i)
    REQUIRE(added.parameters[i] == Approx(3 + plain.parameters[i]).epsilon(1e-6));
}

TEST_CASE("mlp: same bits for 1 and 2 threads", "[mlp]") {
  const Problem problem({48, 64, 2}, 96 * 80 + 11);
  Context one = test::make_context(1), two = test::make_context(2);
  CHECK(problem.forward(one) == problem.forward(two));
  const auto a = problem.backward(one, GradientMode::overwrite), b = problem.backward(two, GradientMode::overwrite);
  CHECK(a.parameters == b.parameters);
  CHECK(a.input == b.input);
}

TEST_CASE("mlp: CUDA agrees with the CPU", "[mlp][parity]") {
  Context cpu = Context::cpu(1), cuda = test::make_context();
  MlpScratch scratch;  // one for all
  std::vector<Problem> all = problems();
  all.emplace_back(MlpShape{56, 64, 2}, 1000);                // inputs in whole vectors of four
  all.push_back(Problem({48, 64, 6}, 130).opened());          // more layers than shared memory holds
  all.push_back(Problem({200, 130, 3}, 70).opened());         // wide
  all.push_back(Problem({5, 3, 1}, 64 * 1030 + 9).opened());  // several tiles per block
  double output = 0, parameters = 0, input = 0;
  for (const Problem& problem : all) {
    INFO(described(problem));
    if (test::kThreadSanitized && problem.n * static_cast<std::size_t>(problem.shape.width) > 20'000) continue;
    output = std::max(output, test::relative_l2(problem.forward(cuda), problem.forward(cpu)));
    for (const GradientMode mode : {GradientMode::overwrite, GradientMode::accumulate}) {
      if (mode == GradientMode::accumulate && problem.n > 10000) continue;
      const auto expected = problem.backward(cpu, mode, 0.25f);
      const auto found = problem.backward(cuda, mode, 0.25f, true, scratch);
      parameters = std::max(parameters, test::relative_l2(found.parameters, expected.parameters));
      input = std::max(input, test::relative_l2(found.input, expected.input));
      if (problem.n > 1000) continue;
      const auto again = problem.backward(cuda, mode, 0.25f, true, scratch);
      CHECK(again.parameters == found.parameters);
      CHECK(again.input == found.input);
    }
  }
  CAPTURE(output, parameters, input);
  CHECK(output < 2e-6);
  CHECK(parameters < 3e-6);  // of sums over 65929 points
  CHECK(input < 1e-6);
}

namespace {

/// Networks in bf16: narrow and wide, with inputs in several stages, several tiles per block.
std::vector<Problem> bf16_problems() {
  std::vector<Problem> all;
  for (const auto& [inputs, width, layers, n] : std::vector<std::array<int, 4>>{{48, 64, 2, 333},
                                                                                {56, 64, 2, 64 * 9},
                                                                                {33, 17, 3, 101},
                                                                                {96, 128, 1, 130},
                                                                                {100, 20, 2, 65},
                                                                                {16, 200, 1, 45},
                                                                                {7, 9, 2, 4001},
                                                                                {5, 1, 1, 97}})
    all.push_back(Problem({inputs, width, layers, MlpPrecision::bf16}, static_cast<std::size_t>(n)).opened());
  return all;
}

}  // namespace

TEST_CASE("mlp: bf16 rounds inputs, weights, hidden units and their gradients, and nothing else", "[mlp]") {
  Context ctx = test::make_context();
  double output = 0, parameters = 0, input = 0;
  for (const Problem& problem : bf16_problems()) {
    INFO(described(problem));
    if (test::kThreadSanitized && problem.n > 200) continue;
    const auto expected = problem.expected();
    const auto found = problem.backward(ctx, GradientMode::overwrite);
    const auto forward = problem.forward(ctx);
    output = std::max(output, test::relative_l2(forward, expected.output));
    parameters = std::max(parameters, test::relative_l2(found.parameters, expected.parameters));
    input = std::max(input, test::relative_l2(found.input, expected.input));

    Problem unrounded = problem;
    unrounded.shape.precision = MlpPrecision::fp32;
    const auto exact = unrounded.expected();
    const double output_error = test::relative_l2(forward, exact.output),
                 parameters_error = test::relative_l2(found.parameters, exact.parameters),
                 input_error = test::relative_l2(found.input, exact.input);
    CAPTURE(output_error, parameters_error, input_error);
    CHECK((output_error > 1e-5 && output_error < 1e-2));
    CHECK((parameters_error > 1e-4 && parameters_error < 1e-1));
    CHECK((input_error > 1e-4 && input_error < 1e-1));
  }
  CAPTURE(output, parameters, input);
  CHECK(output < 2e-5);  // a unit whose fp32 sum falls on the other side of a tie is rounded to its other neighbour
  CHECK(parameters < 3e-4);
  CHECK(input < 3e-4);
}

TEST_CASE("mlp: CUDA agrees with the CPU in bf16", "[mlp][parity]") {
  Context cpu = Context::cpu(1), cuda = test::make_context();
  MlpScratch scratch;
  double output = 0, parameters = 0, input = 0;
  for (const Problem& problem : bf16_problems()) {
    INFO(described(problem));
    if (test::kThreadSanitized && problem.n > 200) continue;
    output = std::max(output, test::relative_l2(problem.forward(cuda), problem.forward(cpu)));
    for (const GradientMode mode : {GradientMode::overwrite, GradientMode::accumulate}) {
      const auto expected = problem.backward(cpu, mode, 0.25f);
      const auto found = problem.backward(cuda, mode, 0.25f, true, scratch);
      const auto again = problem.backward(cuda, mode, 0.25f, true, scratch);
      CHECK(again.parameters == found.parameters);
      CHECK(again.input == found.input);
      parameters = std::max(parameters, test::relative_l2(found.parameters, expected.parameters));
      input = std::max(input, test::relative_l2(found.input, expected.input));
    }
  }
  CAPTURE(output, parameters, input);
  CHECK(output < 2e-5);
  CHECK(parameters < 3e-4);
  CHECK(input < 3e-4);
}

TEST_CASE("mlp: a bf16 network that does not fit shared memory is refused, the largest that does runs", "[mlp]") {
  Context ctx = test::make_context();
  for (const auto& [inputs, width, most] : std::vector<std::array<int, 3>>{{48, 64, 4}, {256, 64, 3}, {48, 128, 1}}) {
    const auto network = [inputs = inputs, width = width](int layers) {
      return Problem({inputs, width, layers, MlpPrecision::bf16}, 3);
    };
    CAPTURE(inputs, width);
    CHECK(mlp_fits_bf16(network(most).shape));
    CHECK_NOTHROW(network(most).backward(ctx, GradientMode::overwrite));
    const Problem larger = network(most + 1);
    CHECK_FALSE(mlp_fits_bf16(larger.shape));
    CHECK_THROWS_AS(larger.forward(ctx), InvalidArgument);
    CHECK_THROWS_AS(larger.backward(ctx, GradientMode::overwrite), InvalidArgument);
  }
}

TEST_CASE("mlp: NaN in the input passes the hidden ReLUs and reaches its own output", "[mlp]") {
  Context ctx = test::make_context();
  for (const MlpPrecision precision : {MlpPrecision::fp32, MlpPrecision::bf16}) {
    Problem problem({6, 20, 2, precision}, 4);
    problem.input[2] = std::numeric_limits<float>::quiet_NaN();  // feature 0 of point 2
    const auto y = problem.forward(ctx);
    CHECK(std::isnan(y[2]));
    CHECK(std::isfinite(y[1]));
  }
}

TEST_CASE("mlp: nothing to do for no points, and each documented error", "[mlp]") {
  Context ctx = test::make_context();
  const MlpShape shape{4, 8, 1};
  auto parameters = Buffer<float>::zeros(ctx, mlp_num_parameters(shape)), input = Buffer<float>::zeros(ctx, 12),
       output = Buffer<float>::zeros(ctx, 3), wrong = Buffer<float>::zeros(ctx, 5);
  const View<float> none;
  CHECK_NOTHROW(mlp_forward(ctx, {shape, parameters, none}, none));
  auto grad = Buffer<float>::from_host(ctx, std::vector<float>(parameters.size(), 2.0f));
  MlpScratch scratch;
  mlp_backward(ctx, {shape, parameters, none}, none, {grad, none}, scratch);
  CHECK(grad.to_host(ctx) == std::vector<float>(parameters.size(), 2.0f));

  CHECK_THROWS_AS(mlp_forward(ctx, {shape, wrong, input}, output), InvalidArgument);
  CHECK_THROWS_AS(mlp_forward(ctx, {shape, parameters, wrong}, output), InvalidArgument);
  const auto back = [&](View<const float> p, View<const float> x, View<const float> gy, View<float> gp,
                        View<float> gx) {
    mlp_backward(ctx, {shape, p, x}, gy, {gp, gx}, scratch);
  };
  CHECK_NOTHROW(back(parameters, input, output, grad, input));
  CHECK_THROWS_AS(back(wrong, input, output, grad, input), InvalidArgument);
  CHECK_THROWS_AS(back(parameters, input, wrong, grad, input), InvalidArgument);
  CHECK_THROWS_AS(back(parameters, input, output, wrong, input), InvalidArgument);
  CHECK_THROWS_AS(back(parameters, input, output, grad, wrong), InvalidArgument);
  for (const MlpShape& bad : {MlpShape{0, 8, 1}, MlpShape{257, 8, 1}, MlpShape{4, 0, 1}, MlpShape{4, 257, 1},
                              MlpShape{4, 8, 0}, MlpShape{4, 8, 65}})
    CHECK_THROWS_AS(mlp_num_parameters(bad), InvalidArgument);
  for (const float sharpness : {0.0f, -1.0f, 1e9f, std::numeric_limits<float>::quiet_NaN()})
    CHECK_THROWS_AS(mlp_num_parameters({4, 8, 1, MlpPrecision::fp32, OutputActivation::softplus, sharpness}),
                    InvalidArgument);
}
