// SPDX-License-Identifier: Apache-2.0
// What kernels do with tensor cores and without.

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "common/tf32.hpp"
#include "dsasrgs/buffer.hpp"
#include "execution.hpp"
#include "mlp/mlp.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;

namespace {

/// Puts the emulated device back.
struct AsUsual {
  ~AsUsual() { emulation::device(0).compute_capability = 9; }
};

struct Result {
  std::vector<float> output, parameters, input;
};

Result run(Context& ctx, const MlpShape& shape, std::size_t n) {
  const auto inputs = static_cast<std::size_t>(shape.inputs);
  const auto parameters =
      Buffer<float>::from_host(ctx, test::random_values<float>(mlp_num_parameters(shape), -0.4f, 0.4f, 1));
  const auto features = Buffer<float>::from_host(ctx, test::random_values<float>(inputs * n, -1, 1, 2));
  const auto grad = Buffer<float>::from_host(ctx, test::random_values<float>(n, -1, 1, 3));
  Buffer<float> output(ctx, n), by_features(ctx, inputs * n);
  auto by_parameters = Buffer<float>::zeros(ctx, parameters.size());
  MlpScratch scratch;
  const MlpInput in{shape, parameters, features, 1};
  mlp_forward(ctx, in, output);
  mlp_backward(ctx, in, grad, {by_parameters, by_features}, scratch);
  return {output.to_host(ctx), by_parameters.to_host(ctx), by_features.to_host(ctx)};
}

}  // namespace

TEST_CASE("mlp: the same with tensor cores and without", "[mlp][emulation]") {
  Context cpu = Context::cpu(1), cuda = Context::cuda();
  for (const auto& [inputs, width, layers, n] :
       {std::array{48, 64, 2, 333}, {33, 17, 3, 101}, {200, 130, 3, 70}, {48, 64, 6, 130}, {48, 100, 1, 65}}) {
    CAPTURE(inputs, width, layers, n);
    const MlpShape shape{inputs, width, layers, MlpPrecision::fp32, OutputActivation::softplus, 10};
    const Result expected = run(cpu, shape, static_cast<std::size_t>(n));
    const double bound = 1e-6 * (1 + layers);
    std::array<Result, 2> of;
    const AsUsual afterwards;
    for (const int capability : {7, 9}) {
      emulation::device(0).compute_capability = capability;
      Result& found = of[capability / 9] = run(cuda, shape, static_cast<std::size_t>(n));
      CAPTURE(capability);
      CHECK(test::relative_l2(found.output, expected.output) < bound);
      CHECK(test::relative_l2(found.parameters, expected.parameters) < bound);
      CHECK(test::relative_l2(found.input, expected.input) < bound);
    }
    CHECK(of[0].parameters != of[1].parameters);  // or one was not looked at
  }
}

TEST_CASE("tf32: two numbers are a float but for a 2^-23 of it, and their product for 2^-21", "[mlp][emulation]") {
  const auto values = test::random_values<float>(2000, -3, 3, 5);
  CHECK(tf32(1 + 0x1p-11f) == 1 + 0x1p-10f);  // half way: away from 0
  CHECK(tf32(-1 - 0x1p-11f) == -1 - 0x1p-10f);
  CHECK(tf32(1 + 0x1p-12f) == 1);
  CHECK(tf32(INFINITY) == INFINITY);
  CHECK(std::isnan(tf32(NAN)));
  double apart = 0, product = 0;
  for (std::size_t i = 0; i + 1 < values.size(); ++i) {
    const double a = values[i], b = values[i + 1];
    const Tf32Pair x(values[i]), y(values[i + 1]);
    apart = std::max(apart, std::abs((static_cast<double>(x.large) + x.small - a) / a));
    product =
        std::max(product, std::abs((static_cast<double>(x.large) * y.large + static_cast<double>(x.small) * y.large +
                                    static_cast<double>(x.large) * y.small - a * b) /
                                   (a * b)));
  }
  CHECK(apart <= 0x1p-23);
  CHECK(product <= 0x1p-21);
  CHECK(product > 0x1p-26);
}
