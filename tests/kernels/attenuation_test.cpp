// SPDX-License-Identifier: Apache-2.0
// The static model and the unit box; tests/kernels/offset_table_test.cpp has the offset table.
#include "attenuation/attenuation.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "attenuation/attenuation_math.hpp"
#include "dsasrgs/error.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"

namespace dsasrgs {

using namespace test;

namespace {

const VolumeGrid kBox{50, 40, 30, {1, 1.5, 2}, {-25, -30, -30}};
using In = View<const float>;

/// What run(ctx, a, b, out) leaves in `out`, which starts as b.
template <class Run>
std::vector<float> on(Context& ctx, const std::vector<float>& a, const std::vector<float>& b, Run&& run) {
  const auto device_a = Buffer<float>::from_host(ctx, a), device_b = Buffer<float>::from_host(ctx, b);
  auto out = Buffer<float>::from_host(ctx, b);
  run(ctx, device_a.view(), device_b.view(), out.view());
  return out.to_host(ctx);
}

void softplus_forward(Context& ctx, In raw, In, View<float> density) {
  softplus_density_forward(ctx, 0.03f, raw, density);
}
void softplus_backward(Context& ctx, In raw, In grad_density, View<float> grad_raw) {
  softplus_density_backward(ctx, 0.03f, raw, grad_density, grad_raw);
}
void unit_box(Context& ctx, In position, In, View<float> unit) { to_unit_box(ctx, kBox, position, unit); }

}  // namespace

TEST_CASE("attenuation: the static model is softplus with its own derivative, from nothing to linear",
          "[attenuation]") {
  Context ctx = make_context();
  std::vector<float> raw = random_values<float>(501, -20, 20, 1), weight = random_values<float>(501, -2, 2, 2);
  raw.insert(raw.end(), {-30, 0, 40, 80});
  weight.insert(weight.end(), {1, 2, 3, 4});
  std::vector<double> density, gradient;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const double x = static_cast<double>(raw[i]), e = std::exp(-std::abs(x));
    density.push_back(0.03 * (std::max(x, 0.0) + std::log1p(e)));
    gradient.push_back(0.03 * static_cast<double>(weight[i]) / (1 + std::exp(-x)));
  }
  CHECK(relative_l2(on(ctx, raw, weight, softplus_forward), density) < 3e-7);
  CHECK(relative_l2(on(ctx, raw, weight, softplus_backward), gradient) < 3e-7);
}

TEST_CASE("attenuation: the static model's derivative in double agrees with central differences", "[attenuation]") {
  for (const double raw : {-8.0, -0.3, 0.0, 1.1, 9.0}) {
    const auto numeric =
        numeric_gradient([](const std::vector<double>& x) { return 1.7 * softplus_density(0.3, x[0]); }, {raw}, 1e-5);
    CHECK(softplus_density_vjp(0.3, raw, 1.7) == Approx(numeric[0]).epsilon(1e-6));
  }
}

TEST_CASE("attenuation: the unit box maps corners to 0 and 1", "[attenuation]") {
  Context ctx = make_context();
  const std::vector<float> corners{-25, -30, -30, 25, 30, 30}, unit{0, 0, 0, 1, 1, 1};
  CHECK(max_difference(on(ctx, corners, corners, unit_box), unit) < 1e-6);
}

TEST_CASE("attenuation: CUDA agrees with the CPU", "[attenuation][parity]") {
  Context cpu = Context::cpu(1), cuda = make_context();
  for (const std::size_t points : {std::size_t{0}, std::size_t{1}, std::size_t{3001}}) {
    CAPTURE(points);
    const auto a = random_values<float>(3 * points, -40, 40, 21), b = random_values<float>(3 * points, -2, 2, 22);
    for (const auto run : {softplus_forward, softplus_backward, unit_box})
      CHECK(relative_l2(on(cuda, a, b, run), on(cpu, a, b, run)) < 2e-7);
  }
}

TEST_CASE("attenuation: wrong sizes are refused", "[attenuation]") {
  Context ctx = make_context();
  auto three = Buffer<float>::zeros(ctx, 3), six = Buffer<float>::zeros(ctx, 6);
  CHECK_THROWS_AS(softplus_density_forward(ctx, 1, three, six), InvalidArgument);
  CHECK_THROWS_AS(softplus_density_backward(ctx, 1, three, six.view(), three), InvalidArgument);
  CHECK_THROWS_AS(softplus_density_backward(ctx, 1, three, three.view(), six), InvalidArgument);
  CHECK_THROWS_AS(to_unit_box(ctx, kBox, three, six), InvalidArgument);
}

}  // namespace dsasrgs
