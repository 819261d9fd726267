// SPDX-License-Identifier: Apache-2.0
#include "ssim/ssim.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "dsasrgs/error.hpp"
#include "elementwise/elementwise.hpp"
#include "oracle/ssim_oracle.hpp"
#include "ssim/ssim_math.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;
using dsasrgs::test::image_loss_oracle;

namespace {

struct Images {
  int width, height;
  std::vector<float> x, y;
  std::vector<std::uint8_t> valid;  // empty: all valid
  double lambda = 0.2;
  float unit = 1, ssim_range = 1;

  Images(int w, int h, std::uint32_t seed = 1, float low = 0, float high = 1)
      : width(w), height(h), x(test::random_values<float>(static_cast<std::size_t>(w) * h, low, high, seed)), y(x) {
    // Correlated images, so that SSIM is neither near 0 nor near 1.
    const auto noise = test::random_values<float>(y.size(), low, high, seed + 100);
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = 0.7f * x[i] + 0.3f * noise[i];
  }
  ImageLossShape shape() const {
    ImageLossShape s;
    s.width_px = width;
    s.height_px = height;
    s.ssim_weight = static_cast<float>(lambda);
    s.unit = unit;
    s.ssim_range = ssim_range;
    return s;
  }
};

struct Result {
  ImageLossValue value;
  std::vector<float> gradient;
};

Result run_on(Context ctx, const Images& im, float grad_loss = 1, GradientMode mode = GradientMode::overwrite,
              float initial_gradient = 7) {
  const auto x = Buffer<float>::from_host(ctx, im.x), y = Buffer<float>::from_host(ctx, im.y);
  const auto valid = Buffer<std::uint8_t>::from_host(ctx, im.valid);
  const ImageLossInput input{x, y, valid, count_valid(ctx, valid)};
  ImageLossSaved saved;
  auto gradient = Buffer<float>::from_host(ctx, std::vector<float>(im.x.size(), initial_gradient));
  Result result;
  image_loss_forward(ctx, im.shape(), input, saved);
  result.value = image_loss_value(ctx, saved);
  image_loss_backward(ctx, im.shape(), input, saved, grad_loss, mode, gradient);
  result.gradient = gradient.to_host(ctx);
  return result;
}

Result run(const Images& im, float grad_loss = 1, GradientMode mode = GradientMode::overwrite,
           float initial_gradient = 7) {
  return run_on(test::make_context(), im, grad_loss, mode, initial_gradient);
}

std::vector<float> run_map(const Images& im) {
  Context ctx = test::make_context();
  const auto x = Buffer<float>::from_host(ctx, im.x), y = Buffer<float>::from_host(ctx, im.y);
  Buffer<float> map(ctx, im.x.size());
  ssim_map(ctx, im.shape(), x, y, map);
  return map.to_host(ctx);
}

std::vector<double> as_double(const std::vector<float>& v) { return {v.begin(), v.end()}; }

test::ImageLossOracle oracle_of(const Images& im, const std::vector<double>& x) {
  return image_loss_oracle(x, as_double(im.y), im.valid, im.width, im.height, im.lambda, static_cast<double>(im.unit),
                           static_cast<double>(im.ssim_range));
}
test::ImageLossOracle oracle(const Images& im) { return oracle_of(im, as_double(im.x)); }

/// About 60 pixels spread over the image: central differences of the brute-force oracle are slow.
std::vector<std::size_t> probes(const Images& im) {
  std::vector<std::size_t> pixels;
  for (std::size_t i = 0; i < im.x.size(); i += 1 + im.x.size() / 60) pixels.push_back(i);
  return pixels;
}

std::vector<double> oracle_gradient(const Images& im) {
  const auto pixels = probes(im);
  std::vector<double> start;
  for (const std::size_t p : pixels) start.push_back(static_cast<double>(im.x[p]));
  return test::numeric_gradient(
      [&](const std::vector<double>& values) {
        auto x = as_double(im.x);
        for (std::size_t k = 0; k < pixels.size(); ++k) x[pixels[k]] = values[k];
        return oracle_of(im, x).total;
      },
      start, 1e-6);
}

std::vector<float> at_probes(const Images& im, const std::vector<float>& gradient) {
  std::vector<float> values;
  for (const std::size_t p : probes(im)) values.push_back(gradient[p]);
  return values;
}

}  // namespace

TEST_CASE("ssim: derivatives of the formula agree with central differences", "[ssim]") {
  const double c1 = 1e-4, c2 = 9e-4;
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    const auto v = test::random_values<double>(4, 0.1, 0.5, seed);
    // A square above the means' squares, so that the variance is positive.
    const std::vector<double> p{v[0], v[1], v[0] * v[0] + v[1] * v[1] + v[2], v[0] * v[1] + 0.4 * v[3]};
    const auto terms = [&](const std::vector<double>& q) {
      return ssim_terms(SsimMoments<double>{q[0], q[1], q[2], q[3]}, c1, c2);
    };
    const auto numeric = test::numeric_gradient([&](const auto& q) { return terms(q).value; }, p, 1e-6);
    const auto d = ssim_derivative(SsimMoments<double>{p[0], p[1], p[2], p[3]}, terms(p));
    CHECK(d.mean_x == Approx(numeric[0]).epsilon(1e-6));
    CHECK(d.square == Approx(numeric[2]).epsilon(1e-6));
    CHECK(d.cross == Approx(numeric[3]).epsilon(1e-6));
  }
}

TEST_CASE("ssim: an image is like itself", "[ssim]") {
  Images im(37, 29);
  im.y = im.x;
  const Result r = run(im);
  CHECK(r.value.ssim == Approx(1).margin(2e-7));
  CHECK(r.value.l1 == 0);
  CHECK(std::abs(r.value.total) < 1e-7);
  // SSIM is at its maximum and the sign of 0 is 0.
  CHECK(test::max_difference(r.gradient, std::vector<float>(im.x.size(), 0)) < 1e-7);
}

TEST_CASE("ssim: constant images have the closed form in the interior", "[ssim]") {
  Images im(40, 30);
  const double a = 0.3, b = 0.7, c1 = 1e-4;
  im.x.assign(im.x.size(), 0.3f);
  im.y.assign(im.y.size(), 0.7f);
  const auto map = run_map(im);
  const double expected = (2 * a * b + c1) / (a * a + b * b + c1);
  // A rounding error of 1e-7 in E[x²] meets C2 = 9e-4 (without fused multiply-add; with it, a tenth of that).
  for (int r = 5; r < 25; ++r)
    for (int c = 5; c < 35; ++c) CHECK(map[r * 40 + c] == Approx(expected).epsilon(3e-4));
  CHECK(run(im).value.l1 == Approx(0.4).epsilon(1e-6));
}

TEST_CASE("ssim: value, map and gradient agree with the double oracle", "[ssim]") {
  // Less than a window, one pixel, one row, beyond one block of rows and not a multiple of any vector.
  const auto [w, h] = GENERATE(table<int, int>({{1, 1}, {1, 23}, {23, 1}, {4, 3}, {16, 16}, {19, 13}, {35, 21}}));
  const double lambda = GENERATE(0.0, 0.2, 1.0);
  CAPTURE(w, h, lambda);
  Images im(w, h, 3);
  im.lambda = lambda;
  const Result r = run(im);
  const auto expected = oracle(im);
  CHECK(r.value.ssim == Approx(expected.ssim).epsilon(2e-6));
  CHECK(r.value.l1 == Approx(expected.l1).epsilon(1e-6));
  CHECK(r.value.total == Approx(expected.total).epsilon(2e-6));
  CHECK(test::max_difference(run_map(im), expected.map) < 5e-6);
  CHECK(test::relative_l2(at_probes(im, r.gradient), oracle_gradient(im)) < 2e-5);
}

TEST_CASE("ssim: masked pixels lie outside the image", "[ssim]") {
  Images im(31, 24, 5);
  im.valid.assign(im.x.size(), 1);
  for (std::size_t i = 0; i < im.valid.size(); i += 7) im.valid[i] = 0;
  const auto expected = oracle(im);
  const auto gradient = oracle_gradient(im);
  // Whatever an invalid pixel holds must not matter.
  for (std::size_t i = 0; i < im.valid.size(); i += 7) {
    im.x[i] = std::numeric_limits<float>::quiet_NaN();
    im.y[i] = 1e30f;
  }
  const Result r = run(im);
  CHECK(r.value.ssim == Approx(expected.ssim).epsilon(2e-6));
  CHECK(r.value.l1 == Approx(expected.l1).epsilon(1e-6));
  CHECK(test::relative_l2(at_probes(im, r.gradient), gradient) < 2e-5);
  for (std::size_t i = 0; i < im.valid.size(); i += 7) CHECK(r.gradient[i] == 0);
}

TEST_CASE("ssim: a rectangular mask equals the cropped image", "[ssim]") {
  Images full(40, 33, 8), crop(17, 20, 9);
  const int left = 11, top = 6;
  full.valid.assign(full.x.size(), 0);
  for (int r = 0; r < crop.height; ++r)
    for (int c = 0; c < crop.width; ++c) {
      const int p = (r + top) * full.width + c + left;
      full.valid[p] = 1;
      full.x[p] = crop.x[r * crop.width + c];
      full.y[p] = crop.y[r * crop.width + c];
    }
  const Result a = run(full), b = run(crop);
  CHECK(a.value.ssim == Approx(b.value.ssim).epsilon(1e-6));
  CHECK(a.value.l1 == Approx(b.value.l1).epsilon(1e-6));
  std::vector<float> inside;
  for (std::size_t p = 0; p < full.valid.size(); ++p)
    if (full.valid[p]) inside.push_back(a.gradient[p]);
  CHECK(test::relative_l2(inside, b.gradient) < 1e-6);
}

TEST_CASE("ssim: weak texture on a large constant keeps single precision usable", "[ssim]") {
  // E[x²] − E[x]² cancels: a rounding error of about 50·1e-7 in σx² + σy² meets C2 = 9e-4.
  Images im(24, 20, 11, 4.999f, 5.001f);
  const auto expected = oracle(im);
  const double worst = test::max_difference(run_map(im), expected.map);
  const Result r = run(im);
  const double gradient_error = test::relative_l2(at_probes(im, r.gradient), oracle_gradient(im));
  INFO("largest error of the map " << worst << ", of the mean " << r.value.ssim - expected.ssim << ", of the gradient "
                                   << gradient_error);
  CHECK(worst < 5e-2);
  CHECK(r.value.ssim == Approx(expected.ssim).margin(5e-3));
  CHECK(gradient_error < 0.25);
}

TEST_CASE("ssim: gradient scales with grad_loss, overwrites or accumulates", "[ssim]") {
  const Images im(33, 18, 4);
  const auto once = run(im).gradient;
  const auto scaled = run(im, -2.5f).gradient;
  const auto added = run(im, 1, GradientMode::accumulate, 0.25f).gradient;
  for (std::size_t i = 0; i < once.size(); ++i) {
    CHECK(scaled[i] == Approx(-2.5 * once[i]).epsilon(1e-5));
    CHECK(added[i] == 0.25f + once[i]);
  }
}

TEST_CASE("ssim: value and gradient at another brightness agree with the oracle", "[ssim]") {
  Images im(21, 17, 9, 0, 5);
  im.unit = 3;
  im.ssim_range = 1.75f;
  im.valid.assign(im.x.size(), 1);
  im.valid[40] = 0;
  const Result r = run(im);
  const auto expected = oracle(im);
  CHECK(r.value.total == Approx(expected.total).epsilon(1e-5));
  CHECK(r.value.l1 == Approx(expected.l1).epsilon(1e-5));
  CHECK(r.value.ssim == Approx(expected.ssim).epsilon(1e-5));
  CHECK(r.value.mean == Approx(expected.mean).epsilon(1e-5));
  CHECK(test::relative_l2(at_probes(im, r.gradient), oracle_gradient(im)) < 1e-4);
}

TEST_CASE("ssim: in its unit the loss is the same at any brightness", "[ssim]") {
  Images im(33, 20, 10);
  im.ssim_range = 3;
  const Result once = run(im);
  for (const float unit : {8.0f, 0.03125f}) {  // powers of two: every step scales exactly
    Images scaled = im;
    scaled.unit = unit;
    for (float& v : scaled.x) v *= unit;
    for (float& v : scaled.y) v *= unit;
    const Result r = run(scaled);
    CHECK(r.value.total == once.value.total);
    CHECK(r.value.mean == once.value.mean);
    for (std::size_t i = 0; i < r.gradient.size(); ++i) REQUIRE(r.gradient[i] * unit == once.gradient[i]);
  }
}

TEST_CASE("ssim: same bits for 1 and 2 threads", "[ssim]") {
  Images im(67, 83, 6);
  im.valid.assign(im.x.size(), 1);
  im.valid[123] = 0;
  const Result a = run_on(Context::cpu(1), im), b = run_on(Context::cpu(2), im);
  CHECK(a.value.total == b.value.total);
  CHECK(a.gradient == b.gradient);
}

TEST_CASE("ssim: CUDA agrees with the CPU", "[ssim][parity]") {
  // One pixel; a part of a tile; several tiles, whole and in part, with a mask.
  const auto [w, h, masked] = GENERATE(table<int, int, bool>({{1, 1, false}, {20, 11, true}, {75, 130, true}}));
  CAPTURE(w, h, masked);
  Images im(w, h, 12);
  if (masked) {
    im.valid.assign(im.x.size(), 1);
    for (std::size_t i = 3; i < im.valid.size(); i += 11) im.valid[i] = 0;
  }
  const Result cpu = run_on(Context::cpu(1), im), cuda = run(im);
  CHECK(cuda.value.total == Approx(cpu.value.total).epsilon(1e-6));
  CHECK(cuda.value.l1 == Approx(cpu.value.l1).epsilon(1e-6));
  CHECK(cuda.value.mean == Approx(cpu.value.mean).epsilon(1e-6));
  CHECK(cuda.value.ssim == Approx(cpu.value.ssim).epsilon(1e-6));
  CHECK(test::relative_l2(cuda.gradient, cpu.gradient) < 1e-5);
  CHECK(run(im).gradient == cuda.gradient);  // same bits from run to run
}

TEST_CASE("ssim: arguments are checked", "[ssim]") {
  Context ctx = test::make_context();
  auto image = Buffer<float>::zeros(ctx, 12), small = Buffer<float>::zeros(ctx, 11);
  auto none = Buffer<std::uint8_t>::zeros(ctx, 12), odd = Buffer<std::uint8_t>::zeros(ctx, 5);
  ImageLossShape shape;
  ImageLossSaved saved;
  CHECK_THROWS_AS(image_loss_forward(ctx, shape, {image, image, {}}, saved), InvalidArgument);  // empty image
  shape.width_px = 4;
  shape.height_px = 3;
  CHECK_THROWS_AS(image_loss_forward(ctx, shape, {small, image, {}}, saved), InvalidArgument);
  CHECK_THROWS_AS(image_loss_forward(ctx, shape, {image, small, {}}, saved), InvalidArgument);
  CHECK_THROWS_AS(image_loss_forward(ctx, shape, {image, image, odd, 5}, saved), InvalidArgument);
  CHECK(count_valid(ctx, none) == 0);
  CHECK_THROWS_AS(image_loss_forward(ctx, shape, {image, image, none, 0}, saved), InvalidArgument);
  CHECK_THROWS_AS(image_loss_forward(ctx, shape, {image, image, none, 13}, saved), InvalidArgument);
  CHECK_THROWS_AS(image_loss_value(ctx, saved), InvalidArgument);  // no forward pass yet
  CHECK_THROWS_AS(image_loss_backward(ctx, shape, {image, image, {}}, saved, 1, GradientMode::overwrite, image),
                  InvalidArgument);  // no forward pass yet
  image_loss_forward(ctx, shape, {image, image, {}}, saved);
  CHECK_THROWS_AS(image_loss_backward(ctx, shape, {image, image, {}}, saved, 1, GradientMode::overwrite, small),
                  InvalidArgument);
  CHECK_THROWS_AS(ssim_map(ctx, shape, image, image, small), InvalidArgument);
  for (const float range : {0.0f, -1.0f, 1e30f, 1e-30f, std::numeric_limits<float>::quiet_NaN()}) {
    for (float ImageLossShape::*const field : {&ImageLossShape::unit, &ImageLossShape::ssim_range}) {
      ImageLossShape refused = shape;
      refused.*field = range;
      CHECK_THROWS_AS(ssim_map(ctx, refused, image, image, image), InvalidArgument);
    }
  }
}
