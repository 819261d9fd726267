// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "attenuation/attenuation.hpp"
#include "attenuation/attenuation_math.hpp"
#include "dsasrgs/error.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;

namespace {

constexpr float kScale = 0.04f;

struct Result {
  std::vector<float> density, grad;
  float smoothness;
  std::vector<float> grad_smoothness;
};

Result run_on(Context ctx, float time, const std::vector<float>& coefficients, float lambda = 0.0043f,
              float initial = 7) {
  const std::size_t n = coefficients.size() / 6;
  const auto c = Buffer<float>::from_host(ctx, coefficients);
  const auto grad_density = Buffer<float>::from_host(ctx, test::random_values<float>(n, -1, 1, 99));
  Buffer<float> density(ctx, n);
  auto grad = Buffer<float>::from_host(ctx, std::vector<float>(6 * n, initial));
  auto grad_smoothness = Buffer<float>::from_host(ctx, std::vector<float>(6 * n, initial));
  OffsetTableSmoothness saved;
  offset_table_density_forward(ctx, kScale, time, c, density);
  offset_table_density_backward(ctx, kScale, time, c, grad_density, grad);
  offset_table_smoothness_forward(ctx, lambda, c, saved);
  offset_table_smoothness_backward(ctx, lambda, c, grad_smoothness);
  return {density.to_host(ctx), grad.to_host(ctx), offset_table_smoothness_value(ctx, saved),
          grad_smoothness.to_host(ctx)};
}
Result run(float time, const std::vector<float>& coefficients, float lambda = 0.0043f, float initial = 7) {
  return run_on(test::make_context(), time, coefficients, lambda, initial);
}

std::vector<float> random_coefficients(std::size_t n, std::uint32_t seed) {
  return test::random_values<float>(6 * n, -3, 3, seed);
}

/// ρ of one Gaussian in double: hat functions instead of a segment.
double density_oracle(const double* coefficients, double time) {
  double raw = coefficients[0];
  for (int j = 0; j < 5; ++j) raw += coefficients[1 + j] * std::max(0.0, 1 - std::abs(4 * time - j));
  return static_cast<double>(kScale) * std::log(1 + std::exp(raw));
}

}  // namespace

TEST_CASE("offset table: entries are met at the quarters and clamped outside", "[attenuation]") {
  const std::vector<float> c{0.5f, -1, 2, 0.25f, 3, -2};
  const auto expected = [&](double raw) { return static_cast<double>(kScale) * std::log1p(std::exp(raw)); };
  for (int j = 0; j < 5; ++j)
    CHECK(run(0.25f * static_cast<float>(j), c).density[0] == Approx(expected(0.5 + c[1 + j])).epsilon(1e-6));
  CHECK(run(0.125f, c).density[0] == Approx(expected(0.5 + 0.5)).epsilon(1e-6));
  CHECK(run(0.9375f, c).density[0] == Approx(expected(0.5 + 0.25 * 3 - 0.75 * 2)).epsilon(1e-6));
  CHECK(run(-3, c).density == run(0, c).density);
  CHECK(run(1.5f, c).density == run(1, c).density);
  CHECK(run(NAN, c).density == run(0, c).density);
}

TEST_CASE("offset table: derivatives in double agree with central differences", "[attenuation]") {
  for (const double time : {0.0, 0.1, 0.25, 0.62, 0.99, 1.0}) {
    CAPTURE(time);
    const auto c = test::random_values<double>(6, -2, 2, 5);
    const auto at = table_segment(time);
    const auto numeric = test::numeric_gradient(
        [&](const std::vector<double>& v) { return 1.7 * offset_table_density(0.3, at, v.data()); }, c, 1e-5);
    double grad[6];
    offset_table_density_vjp(0.3, at, c.data(), 1.7, grad);
    for (int k = 0; k < 6; ++k) CHECK(grad[k] == Approx(numeric[k]).epsilon(1e-6).margin(1e-12));
    const auto numeric_variation =
        test::numeric_gradient([&](const std::vector<double>& v) { return 1.7 * table_variation(v.data()); }, c, 1e-6);
    double grad_variation[6] = {};
    table_variation_vjp(c.data(), 1.7, grad_variation);
    for (int k = 0; k < 6; ++k) CHECK(grad_variation[k] == Approx(numeric_variation[k]).epsilon(1e-6).margin(1e-9));
  }
}

TEST_CASE("offset table: density and gradient agree with the double oracle", "[attenuation]") {
  const std::size_t n = GENERATE(1u, 33u, 517u);
  const float time = GENERATE(0.0f, 0.3f, 0.75f, 0.81f, 1.0f);
  CAPTURE(n, time);
  const auto c = random_coefficients(n, 3);
  const auto grad_density = test::random_values<float>(n, -1, 1, 99);
  const Result r = run(time, c);
  std::vector<double> density, grad;
  for (std::size_t i = 0; i < n; ++i) {
    const std::vector<double> one(c.begin() + 6 * static_cast<long>(i), c.begin() + 6 * static_cast<long>(i + 1));
    const auto f = [&](const std::vector<double>& v) { return density_oracle(v.data(), static_cast<double>(time)); };
    density.push_back(f(one));
    for (const double g : test::numeric_gradient(f, one)) grad.push_back(g * static_cast<double>(grad_density[i]));
  }
  CHECK(test::relative_l2(r.density, density) < 3e-7);
  CHECK(test::relative_l2(r.grad, grad) < 1e-6);
}

TEST_CASE("offset table: smoothness is the mean over Gaussians of the table's steps", "[attenuation]") {
  // Steps of 1, 0, 3 and 2; then none. The base does not count.
  const std::vector<float> c{50, 1, 2, 2, -1, 1, -80, 4, 4, 4, 4, 4};
  const Result r = run(0, c, 0.5f, 0.25f);
  CHECK(r.smoothness == Approx(0.5 * 6 / 2));
  const float w = 0.5f / 2;
  const std::vector<float> expected{0, -w, w, w, -2 * w, w, 0, 0, 0, 0, 0, 0};
  for (int k = 0; k < 12; ++k) CHECK(r.grad_smoothness[k] == Approx(0.25 + expected[k]));
}

TEST_CASE("offset table: no Gaussians", "[attenuation]") {
  const Result r = run(0.5f, {});
  CHECK(r.density.empty());
  CHECK(r.smoothness == 0);
}

TEST_CASE("offset table: same bits for 1 and 2 threads", "[attenuation]") {
  const auto c = random_coefficients(40001, 7);
  const Result a = run_on(Context::cpu(1), 0.4f, c), b = run_on(Context::cpu(2), 0.4f, c);
  CHECK(a.density == b.density);
  CHECK(a.grad == b.grad);
  CHECK(a.smoothness == b.smoothness);
  CHECK(a.grad_smoothness == b.grad_smoothness);
}

TEST_CASE("offset table: CUDA agrees with the CPU", "[attenuation][parity]") {
  const std::size_t n = GENERATE(0u, 1u, 1003u, 70001u);  // the last: more than the sum has threads
  CAPTURE(n);
  const auto c = random_coefficients(n, 11);
  const Result cpu = run_on(Context::cpu(1), 0.37f, c), cuda = run(0.37f, c);
  CHECK(test::relative_l2(cuda.density, cpu.density) < 5e-7);
  CHECK(test::relative_l2(cuda.grad, cpu.grad) < 5e-7);
  CHECK(cuda.smoothness == Approx(cpu.smoothness).epsilon(1e-6));
  CHECK(test::relative_l2(cuda.grad_smoothness, cpu.grad_smoothness) < 1e-7);
  CHECK(run(0.37f, c).smoothness == cuda.smoothness);  // same bits from run to run
}

TEST_CASE("offset table: arguments are checked", "[attenuation]") {
  Context ctx = test::make_context();
  auto two = Buffer<float>::zeros(ctx, 2), three = Buffer<float>::zeros(ctx, 3), twelve = Buffer<float>::zeros(ctx, 12),
       odd = Buffer<float>::zeros(ctx, 13);
  OffsetTableSmoothness saved;
  CHECK_THROWS_AS(offset_table_density_forward(ctx, 1, 0, odd, two), InvalidArgument);
  CHECK_THROWS_AS(offset_table_density_forward(ctx, 1, 0, twelve, three), InvalidArgument);
  CHECK_THROWS_AS(offset_table_density_backward(ctx, 1, 0, odd, two, odd), InvalidArgument);
  CHECK_THROWS_AS(offset_table_density_backward(ctx, 1, 0, twelve, three, twelve), InvalidArgument);
  CHECK_THROWS_AS(offset_table_density_backward(ctx, 1, 0, twelve, two, odd), InvalidArgument);
  CHECK_THROWS_AS(offset_table_smoothness_value(ctx, saved), InvalidArgument);
  CHECK_THROWS_AS(offset_table_smoothness_forward(ctx, 1, odd, saved), InvalidArgument);
  CHECK_THROWS_AS(offset_table_smoothness_backward(ctx, 1, odd, odd), InvalidArgument);
  CHECK_THROWS_AS(offset_table_smoothness_backward(ctx, 1, twelve, odd), InvalidArgument);
}
