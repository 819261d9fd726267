// SPDX-License-Identifier: Apache-2.0
// The formulas of the network, one number at a time: activations, bfloat16, where parameters stand.
#include "mlp/mlp_math.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "oracle/mlp_oracle.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;

TEST_CASE("mlp: parameters are counted layer by layer", "[mlp]") {
  CHECK(mlp_num_parameters({48, 64, 2}) == 48 * 64 + 64 + 64 * 64 + 64 + 64 + 1);
  CHECK(mlp_num_parameters({3, 5, 1}) == 15 + 5 + 5 + 1);
  const MlpLayer last = mlp_layer({3, 5, 2}, 2);
  CHECK((last.weights == 20 + 30 && last.biases == 55 && last.inputs == 5 && last.outputs == 1));
}

TEST_CASE("mlp: VJP of ReLU agrees with central differences and is 0 at 0", "[mlp]") {
  for (const double z : {-30.0, -1.3, -0.2, 0.4, 2.0, 25.0}) {
    const auto f = [&](const std::vector<double>& x) { return 0.7 * relu(x[0]); };
    CHECK(relu_vjp(z, 0.7) == Approx(test::numeric_gradient(f, {z})[0]).epsilon(1e-6).margin(1e-10));
  }
  CHECK(relu_vjp(0.0, 1.0) == 0);
}

TEST_CASE("mlp: the softplus output is ReLU but near 0, keeps a gradient below, and its VJP is right", "[mlp]") {
  const MlpShape shape{1, 1, 1, MlpPrecision::fp32, OutputActivation::softplus, 10};
  CHECK(mlp_output(shape, 0.0) == Approx(std::log(2.0) / 10).epsilon(1e-12));  // closed form
  CHECK(mlp_output(shape, 4.0) == Approx(4.0).epsilon(1e-12));
  CHECK(mlp_output(shape, mlp_output_inverse(shape, 0.05)) == Approx(0.05).epsilon(1e-12));
  CHECK(mlp_output(shape, -1.0f) == Approx(std::exp(-10.0) / 10).epsilon(1e-4));
  CHECK(mlp_output(shape, -2.0f) > 0.0f);
  CHECK(mlp_output_vjp(shape, -2.0f, 1.0f) > 0.0f);
  CHECK(mlp_output(shape, 1e30f) == 1e30f);  // no overflow on the way
  CHECK(mlp_output_vjp(shape, -1e30f, 1.0f) == 0.0f);
  CHECK(std::isnan(mlp_output(shape, std::numeric_limits<float>::quiet_NaN())));
  for (const double z : {-1.3, -0.2, -0.03, 0.0, 0.04, 0.4, 2.0}) {
    const auto f = [&](const std::vector<double>& x) { return 0.7 * mlp_output(shape, x[0]); };
    CHECK(mlp_output_vjp(shape, z, 0.7) == Approx(test::numeric_gradient(f, {z}, 1e-6)[0]).epsilon(1e-6).margin(1e-10));
  }
}

TEST_CASE("mlp: rounding to bfloat16 takes the nearest, ties to even, and keeps infinity and NaN", "[mlp]") {
  CHECK(round_to_bf16(1.0f) == 1.0f);
  CHECK(round_to_bf16(1.0f + 0x1p-8f) == 1.0f);                         // half way, down to even
  CHECK(round_to_bf16(1.0f + 0x3p-8f) == 1.0f + 0x4p-8f);               // half way, up to even
  CHECK(round_to_bf16(-1.0f - 0x1p-8f - 0x1p-20f) == -1.0f - 0x2p-8f);  // just beyond
  CHECK(round_to_bf16(std::numeric_limits<float>::max()) == std::numeric_limits<float>::infinity());
  CHECK(round_to_bf16(-std::numeric_limits<float>::infinity()) == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(round_to_bf16(std::numeric_limits<float>::quiet_NaN())));
  const oracle::Mlp o{{}, {}, true};
  for (const float v : test::random_values<float>(1000, -3, 3, 17)) REQUIRE(double(round_to_bf16(v)) == o.factor(v));
}
