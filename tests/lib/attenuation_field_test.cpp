#include "dsasrgs/attenuation_field.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "attenuation/attenuation.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

constexpr std::size_t kGaussians = 300;
const VolumeGrid kBox{50, 40, 30, {1, 1.5, 2}, {-25, -30, -30}};

FieldConfig small_field(AttenuationKind kind) {
  FieldConfig c;
  c.kind = kind;
  c.grid3d = {5, 10, 3, 1.6};
  c.grid4d = {4, 10, 2, 1.5};
  c.width = 24;
  return c;
}

GaussianCloud random_cloud(Context& ctx, int coefficients) {
  GaussianCloud cloud;
  std::vector<float> position = random_values<float>(3 * kGaussians, -20, 20, 1);
  cloud.position_mm = Buffer<float>::from_host(ctx, position);
  cloud.raw_scale = Buffer<float>::from_host(ctx, random_values<float>(3 * kGaussians, -2, 0, 2));
  cloud.rotation = Buffer<float>::from_host(ctx, random_values<float>(4 * kGaussians, 0.2f, 1, 3));
  cloud.attenuation = Buffer<float>::from_host(
      ctx, random_values<float>(kGaussians * static_cast<std::size_t>(coefficients), -1, 1, 4));
  cloud.bounds = {0.2f, 8};
  return cloud;
}

}  // namespace

TEST_CASE("attenuation: the static model is softplus with its own derivative", "[attenuation]") {
  Context ctx = make_context();
  const std::vector<float> raw{-30, -1, 0, 2, 40}, weight{1, 2, 3, 4, 5};
  const Buffer<float> device_raw = Buffer<float>::from_host(ctx, raw);
  Buffer<float> density(ctx, 5), grad(ctx, 5);
  softplus_density_forward(ctx, 0.5f, device_raw, density);
  softplus_density_backward(ctx, 0.5f, device_raw, Buffer<float>::from_host(ctx, weight), grad);
  const auto d = density.to_host(ctx), g = grad.to_host(ctx);
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(d[i] == Approx(0.5 * std::log1p(std::exp(static_cast<double>(raw[i])))).epsilon(1e-6));
    CHECK(g[i] == Approx(weight[i] * 0.5 / (1 + std::exp(-static_cast<double>(raw[i])))).epsilon(1e-6));
  }
}

TEST_CASE("attenuation: the unit box maps corners to 0 and 1, and its backward is the adjoint", "[attenuation]") {
  Context ctx = make_context();
  const std::vector<float> corners{-25, -30, -30, 25, 30, 30};
  Buffer<float> unit(ctx, 6);
  to_unit_box(ctx, kBox, Buffer<float>::from_host(ctx, corners), unit);
  CHECK(max_difference(unit.to_host(ctx), std::vector<float>{0, 0, 0, 1, 1, 1}) < 1e-6);
  Buffer<float> grad = Buffer<float>::zeros(ctx, 6);
  to_unit_box_backward(ctx, kBox, Buffer<float>::from_host(ctx, std::vector<float>(6, 1)), grad);
  CHECK(max_difference(grad.to_host(ctx), std::vector<float>{0.02f, 1 / 60.f, 1 / 60.f, 0.02f, 1 / 60.f, 1 / 60.f}) <
        1e-7);
}

TEST_CASE("attenuation: sums are those of the elements", "[attenuation]") {
  Context ctx = make_context();
  const auto a = random_values<float>(40001, -1, 1, 7), b = random_values<float>(40001, -1, 1, 8);
  const Sums s = sum_and_product(ctx, Buffer<float>::from_host(ctx, a), Buffer<float>::from_host(ctx, b));
  double sum = 0;
  for (const float x : a) sum += x;
  CHECK(s.sum == Approx(sum));
  CHECK(s.product == Approx(inner_product(a, b)));
}

TEST_CASE("attenuation: CUDA agrees with the CPU", "[attenuation][parity]") {
  if (selected_backend() == Backend::cpu) {
    WARN("needs --backend cuda");
    return;
  }
  Context cpu = Context::cpu(1), cuda = make_context();
  for (const std::size_t points : {std::size_t{0}, std::size_t{1}, std::size_t{3001}}) {
    CAPTURE(points);
    const std::size_t n = 3 * points;
    const auto a = random_values<float>(n, -40, 40, 21), b = random_values<float>(n, -2, 2, 22);
    const auto on = [&](Context& ctx, auto&& run) {
      const auto device_a = Buffer<float>::from_host(ctx, a), device_b = Buffer<float>::from_host(ctx, b);
      auto out = Buffer<float>::from_host(ctx, b);
      run(ctx, device_a.view(), device_b.view(), out.view());
      return out.to_host(ctx);
    };
    const auto difference = [&](auto&& run) { return relative_l2(on(cuda, run), on(cpu, run)); };
    using In = View<const float>;
    CHECK(difference([](Context& c, In x, In, View<float> y) { softplus_density_forward(c, 0.03f, x, y); }) < 2e-7);
    CHECK(difference([](Context& c, In x, In g, View<float> y) { softplus_density_backward(c, 0.03f, x, g, y); }) <
          2e-7);
    CHECK(difference([](Context& c, In x, In, View<float> y) { to_unit_box(c, kBox, x, y); }) < 2e-7);
    CHECK(difference([](Context& c, In x, In, View<float> y) { to_unit_box_backward(c, kBox, x, y); }) < 2e-7);
    CHECK(difference([](Context& c, In x, In, View<float> y) { affine_values(c, 1.7f, -0.3f, x, y); }) < 2e-7);
    CHECK(difference([](Context& c, In, In, View<float> y) { affine_values(c, 1.7f, -0.3f, y, y); }) < 2e-7);
    CHECK(difference([](Context& c, In x, In, View<float> y) { add_scaled(c, -0.7f, x, y); }) < 2e-7);
    const auto sums = [&](Context& ctx) {
      return sum_and_product(ctx, Buffer<float>::from_host(ctx, a), Buffer<float>::from_host(ctx, b));
    };
    const Sums expected = sums(cpu), found = sums(cuda), again = sums(cuda);
    CHECK(found.sum == Approx(expected.sum).epsilon(1e-12));
    CHECK(found.product == Approx(expected.product).epsilon(1e-12));
    CHECK((found.sum == again.sum && found.product == again.product));
  }
}

TEST_CASE("attenuation field: every Gaussian of a fresh neural field is visible and alive", "[attenuation]") {
  Context ctx = make_context();
  AttenuationField field(ctx, small_field(AttenuationKind::neural), kBox, 5);
  field.set_density_scale_per_mm(0.03f);
  const GaussianCloud cloud = random_cloud(ctx, 0);
  AttenuationField::Saved saved;
  Buffer<float> density(ctx, kGaussians);
  field.evaluate(ctx, cloud, 0.4f, saved, density);
  for (const float d : density.to_host(ctx)) CHECK(d == Approx(0.03).epsilon(0.05));
}
