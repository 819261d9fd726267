#include "mlp/mlp.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
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
  o.output = s.output == Activation::relu ? 'r' : (s.output == Activation::softplus ? 's' : 'i');
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

  std::vector<double> point(std::size_t p) const {
    std::vector<double> x;
    for (std::size_t f = 0; f < static_cast<std::size_t>(shape.inputs); ++f) x.push_back(input[f * n + p]);
    return x;
  }
  std::vector<float> forward(Context& ctx) const {
    auto output = Buffer<float>::from_host(ctx, std::vector<float>(n, 99));
    mlp_forward(ctx, shape, Buffer<float>::from_host(ctx, parameters), Buffer<float>::from_host(ctx, input), output);
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
    mlp_backward(ctx, shape, Buffer<float>::from_host(ctx, parameters), Buffer<float>::from_host(ctx, input),
                 Buffer<float>::from_host(ctx, grad_output), gp, mode, gi, scratch);
    return {gp.to_host(ctx), gi.to_host(ctx)};
  }

  MlpShape shape;
  std::size_t n;
  std::vector<float> parameters, input, grad_output;
};

/// Shapes and numbers of points beside the blocks of 96 points, the vectors of 16 and the tiles of 6, and one with more
/// blocks than parts.
std::vector<Problem> problems() {
  std::vector<Problem> all;
  for (const Activation output : {Activation::relu, Activation::softplus, Activation::identity}) {
    all.emplace_back(MlpShape{48, 64, 2, output}, 289);
    all.emplace_back(MlpShape{24, 40, 1, output}, 95);
    all.emplace_back(MlpShape{33, 17, 3, output}, 101);
    all.emplace_back(MlpShape{5, 1, 1, output}, 97);
    all.emplace_back(MlpShape{96, 128, 2, output}, 13);
    all.emplace_back(MlpShape{1, 67, 4, output}, 1);
  }
  all.emplace_back(MlpShape{7, 9, 2, Activation::identity}, 96 * 70 + 5);
  all.emplace_back(MlpShape{256, 256, 1, Activation::identity}, 7);
  return all;
}

}  // namespace

TEST_CASE("mlp: parameters are counted layer by layer", "[mlp]") {
  CHECK(mlp_num_parameters({48, 64, 2, Activation::relu}) == 48 * 64 + 64 + 64 * 64 + 64 + 64 + 1);
  CHECK(mlp_num_parameters({3, 5, 1, Activation::relu}) == 15 + 5 + 5 + 1);
  const MlpLayer last = mlp_layer({3, 5, 2, Activation::relu}, 2);
  CHECK((last.weights == 20 + 30 && last.biases == 55 && last.inputs == 5 && last.outputs == 1));
}

TEST_CASE("mlp: a hand-made network gives the value worked out by hand", "[mlp]") {
  Context ctx = test::make_context();
  // h = relu([2x + 3y − 1, −x + 4]), z = 5h₀ − 2h₁ + 0.5
  Problem problem({2, 2, 1, Activation::identity}, 2);
  problem.parameters = {2, 3, -1, 0, -1, 4, 5, -2, 0.5f};
  problem.input = {1, 6, 2, -5};  // points (1,2) and (6,−5): both ways of each ReLU
  CHECK(problem.forward(ctx) == std::vector<float>{5 * 7 - 2 * 3 + 0.5f, 0.5f});
  problem.shape.output = Activation::relu;
  problem.parameters[8] = -40;
  CHECK(problem.forward(ctx) == std::vector<float>{0, 0});
  problem.shape.output = Activation::softplus;
  CHECK(problem.forward(ctx)[0] == Approx(std::log1p(std::exp(-11.0))).epsilon(1e-6));
}

TEST_CASE("mlp: VJP of the output activations agrees with central differences", "[mlp]") {
  for (const Activation a : {Activation::relu, Activation::softplus, Activation::identity})
    for (const double z : {-30.0, -1.3, -0.2, 0.4, 2.0, 25.0}) {
      const auto f = [&](const std::vector<double>& x) { return 0.7 * activate(a, x[0]); };
      CHECK(activate_vjp(a, z, 0.7) == Approx(test::numeric_gradient(f, {z})[0]).epsilon(1e-6).margin(1e-10));
    }
  CHECK(activate_vjp(Activation::relu, 0.0, 1.0) == 0);
}

TEST_CASE("mlp: the oracle's gradients agree with central differences", "[mlp]") {
  const Problem problem({4, 5, 2, Activation::softplus}, 1);
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

TEST_CASE("mlp: forward agrees with the double oracle", "[mlp]") {
  Context ctx = test::make_context();
  for (const Problem& problem : problems()) {
    INFO(problem.shape.inputs << " inputs, width " << problem.shape.width << ", layers " << problem.shape.hidden_layers
                              << ", output " << int(problem.shape.output) << ", points " << problem.n);
    const auto o = oracle_of(problem.shape, problem.parameters);
    std::vector<double> expected;
    for (std::size_t p = 0; p < problem.n; ++p) expected.push_back(o.value(problem.point(p)));
    CHECK(test::max_difference(problem.forward(ctx), expected) < 1e-5);
    CHECK(test::relative_l2(problem.forward(ctx), expected) < 2e-6);
  }
}

TEST_CASE("mlp: backward agrees with the double oracle", "[mlp]") {
  Context ctx = test::make_context();
  for (const Problem& problem : problems()) {
    INFO(problem.shape.inputs << " inputs, width " << problem.shape.width << ", layers " << problem.shape.hidden_layers
                              << ", output " << int(problem.shape.output) << ", points " << problem.n);
    const auto o = oracle_of(problem.shape, problem.parameters);
    std::vector<double> grad(problem.parameters.size(), 0.0), grad_input(problem.input.size());
    for (std::size_t p = 0; p < problem.n; ++p) {
      const auto g = o.vjp(problem.point(p), problem.grad_output[p], grad);
      for (std::size_t f = 0; f < g.size(); ++f) grad_input[f * problem.n + p] = g[f];
    }
    const auto found = problem.backward(ctx, GradientMode::overwrite);
    CHECK(test::relative_l2(found.parameters, grad) < 3e-6);
    CHECK(test::relative_l2(found.input, grad_input) < 3e-6);
  }
}

TEST_CASE("mlp: with the weights fixed and no ReLU closed the input gradient is the adjoint", "[mlp]") {
  Context ctx = test::make_context();
  Problem problem({48, 64, 2, Activation::identity}, 203);
  for (int l = 0; l < 2; ++l) {  // large biases keep every hidden unit open, so the network is affine
    const MlpLayer layer = mlp_layer(problem.shape, l);
    for (std::size_t o = 0; o < layer.outputs; ++o) problem.parameters[layer.biases + o] = l == 0 ? 5.0f : 40.0f;
  }
  Problem at_zero = problem;
  at_zero.input.assign(problem.input.size(), 0.0f);
  auto linear = problem.forward(ctx);
  const auto constant = at_zero.forward(ctx);
  for (std::size_t p = 0; p < problem.n; ++p) linear[p] -= constant[p];
  const auto adjoint = problem.backward(ctx, GradientMode::overwrite).input;
  CHECK(test::inner_product(linear, problem.grad_output) ==
        Approx(test::inner_product(problem.input, adjoint)).epsilon(1e-4));
}

TEST_CASE("mlp: gradients of parameters are added, those of the input follow the mode or are skipped", "[mlp]") {
  Context ctx = test::make_context();
  const Problem problem({24, 40, 2, Activation::softplus}, 131);
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
  const Problem problem({48, 64, 2, Activation::relu}, 96 * 80 + 11);
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
  all.emplace_back(MlpShape{56, 64, 2, Activation::relu}, 1000);             // inputs in whole vectors of four
  all.emplace_back(MlpShape{48, 64, 6, Activation::softplus}, 130);          // more layers than shared memory holds
  all.emplace_back(MlpShape{200, 130, 3, Activation::identity}, 70);         // wide
  all.emplace_back(MlpShape{5, 3, 1, Activation::identity}, 64 * 1030 + 9);  // several tiles per block
  double output = 0, parameters = 0, input = 0;
  for (const Problem& problem : all) {
    INFO(problem.shape.inputs << " inputs, width " << problem.shape.width << ", layers " << problem.shape.hidden_layers
                              << ", output " << int(problem.shape.output) << ", points " << problem.n);
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

TEST_CASE("mlp: bf16 agrees with fp32 to bfloat16's digits", "[mlp][cuda]") {
  Context cpu = Context::cpu(1), cuda = test::make_context();
  MlpScratch scratch;
  struct Error {
    double output, parameters, input;
  };
  const auto error = [&](Problem problem) {
    const auto output = problem.forward(cpu);
    const auto grad = problem.backward(cpu, GradientMode::accumulate, 0.25f);
    problem.shape.precision = MlpPrecision::bf16;
    const auto found = problem.backward(cuda, GradientMode::accumulate, 0.25f, true, scratch);
    const auto again = problem.backward(cuda, GradientMode::accumulate, 0.25f, true, scratch);
    CHECK(again.parameters == found.parameters);
    CHECK(again.input == found.input);
    return Error{test::relative_l2(problem.forward(cuda), output), test::relative_l2(found.parameters, grad.parameters),
                 test::relative_l2(found.input, grad.input)};
  };
  for (const auto& [shape, n] :
       std::vector<std::pair<MlpShape, std::size_t>>{{{48, 64, 2, Activation::identity}, 333},
                                                     {{56, 64, 2, Activation::identity}, 64 * 9},
                                                     {{33, 17, 3, Activation::softplus}, 101},
                                                     {{96, 128, 1, Activation::identity}, 130},
                                                     {{100, 20, 2, Activation::identity}, 65},
                                                     {{16, 200, 1, Activation::identity}, 45},
                                                     {{7, 9, 2, Activation::identity}, 64 * 401 + 3},
                                                     {{5, 1, 1, Activation::identity}, 1}}) {
    INFO(shape.inputs << " inputs, width " << shape.width << ", layers " << shape.hidden_layers << ", points " << n);
    Problem problem(shape, n);
    const Error e = error(problem);
    CAPTURE(e.output, e.parameters, e.input);
    CHECK((e.output > 1e-5 && e.output < 1e-2));  // really rounded, and not more than that
    CHECK(e.parameters < 5e-2);
    CHECK(e.input < 5e-2);

    // With inputs and weights that bfloat16 represents and one hidden layer no unit changes sides: what is left is the
    // rounding of the units and of their gradients.
    if (shape.hidden_layers > 1) continue;
    for (auto* values : {&problem.input, &problem.parameters})
      for (float& x : *values) x = std::round(x * 128) / 128;
    const Error rounded = error(problem);
    CAPTURE(rounded.output, rounded.parameters, rounded.input);
    CHECK(rounded.output < 3e-3);
    CHECK(rounded.parameters < 3e-3);
    CHECK(rounded.input < 3e-3);
  }
  const Problem deep({48, 64, 6, Activation::identity, MlpPrecision::bf16}, 70);  // too large for bf16
  CHECK(test::relative_l2(deep.forward(cuda), deep.forward(cpu)) < 2e-6);
}

TEST_CASE("mlp: NaN in the input passes the hidden ReLUs and reaches its own output", "[mlp]") {
  Context ctx = test::make_context();
  for (const Activation output : {Activation::relu, Activation::softplus, Activation::identity}) {
    Problem problem({6, 20, 2, output}, 4);
    problem.input[2] = std::numeric_limits<float>::quiet_NaN();  // feature 0 of point 2
    const auto y = problem.forward(ctx);
    CHECK(std::isnan(y[2]));
    CHECK(std::isfinite(y[1]));
  }
}

TEST_CASE("mlp: nothing to do for no points, and each documented error", "[mlp]") {
  Context ctx = test::make_context();
  const MlpShape shape{4, 8, 1, Activation::relu};
  auto parameters = Buffer<float>::zeros(ctx, mlp_num_parameters(shape)), input = Buffer<float>::zeros(ctx, 12),
       output = Buffer<float>::zeros(ctx, 3), wrong = Buffer<float>::zeros(ctx, 5);
  const View<float> none;
  CHECK_NOTHROW(mlp_forward(ctx, shape, parameters, none, none));
  auto grad = Buffer<float>::from_host(ctx, std::vector<float>(parameters.size(), 2.0f));
  MlpScratch scratch;
  mlp_backward(ctx, shape, parameters, none, none, grad, GradientMode::overwrite, none, scratch);
  CHECK(grad.to_host(ctx) == std::vector<float>(parameters.size(), 2.0f));

  CHECK_THROWS_AS(mlp_forward(ctx, shape, wrong, input, output), InvalidArgument);
  CHECK_THROWS_AS(mlp_forward(ctx, shape, parameters, wrong, output), InvalidArgument);
  const auto back = [&](View<const float> p, View<const float> x, View<const float> gy, View<float> gp,
                        View<float> gx) {
    mlp_backward(ctx, shape, p, x, gy, gp, GradientMode::overwrite, gx, scratch);
  };
  CHECK_NOTHROW(back(parameters, input, output, grad, input));
  CHECK_THROWS_AS(back(wrong, input, output, grad, input), InvalidArgument);
  CHECK_THROWS_AS(back(parameters, input, wrong, grad, input), InvalidArgument);
  CHECK_THROWS_AS(back(parameters, input, output, wrong, input), InvalidArgument);
  CHECK_THROWS_AS(back(parameters, input, output, grad, wrong), InvalidArgument);
  for (const MlpShape& bad : {MlpShape{0, 8, 1}, MlpShape{257, 8, 1}, MlpShape{4, 0, 1}, MlpShape{4, 257, 1},
                              MlpShape{4, 8, 0}, MlpShape{4, 8, 65}})
    CHECK_THROWS_AS(mlp_num_parameters(bad), InvalidArgument);
}
