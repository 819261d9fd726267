// SPDX-License-Identifier: Apache-2.0
#include "elementwise/elementwise.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "dsasrgs/error.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"

namespace dsasrgs {

using namespace test;

namespace {

struct Result {
  std::vector<float> affine, in_place, scaled, added, multiplied;
  Sums sums;
};

Result run_on(Context ctx, const std::vector<float>& a, const std::vector<float>& b) {
  const auto x = Buffer<float>::from_host(ctx, a), y = Buffer<float>::from_host(ctx, b);
  Buffer<float> affine(ctx, a.size()), scaled(ctx, a.size());
  auto in_place = Buffer<float>::from_host(ctx, a), added = Buffer<float>::from_host(ctx, b),
       multiplied = Buffer<float>::from_host(ctx, std::vector<float>(a.size(), 2));
  affine_values(ctx, 1.7f, -0.3f, x, affine);
  affine_values(ctx, 1.7f, -0.3f, in_place.view(), in_place);
  scale_values(ctx, -0.7f, x, scaled);
  add_scaled(ctx, -0.7f, x, added);
  add_product(ctx, x, y, multiplied);
  return {affine.to_host(ctx), in_place.to_host(ctx),   scaled.to_host(ctx),
          added.to_host(ctx),  multiplied.to_host(ctx), sum_and_product(ctx, x, y)};
}

}  // namespace

TEST_CASE("elementwise: results are those of double precision", "[elementwise]") {
  const std::size_t n = GENERATE(0u, 1u, 257u, 40001u);
  CAPTURE(n);
  const auto a = random_values<float>(n, -1, 1, 7), b = random_values<float>(n, -1, 1, 8);
  const Result r = run_on(make_context(), a, b);
  std::vector<double> affine, scaled, added, multiplied;
  double sum = 0, product = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    affine.push_back(static_cast<double>(1.7f) * x + static_cast<double>(-0.3f));
    scaled.push_back(static_cast<double>(-0.7f) * x);
    added.push_back(y + static_cast<double>(-0.7f) * x);
    multiplied.push_back(2 + x * y);
    sum += x;
    product += x * y;
  }
  CHECK(relative_l2(r.affine, affine) < 1e-7);
  CHECK(r.in_place == r.affine);
  CHECK(relative_l2(r.scaled, scaled) < 1e-7);
  CHECK(relative_l2(r.added, added) < 1e-7);
  CHECK(relative_l2(r.multiplied, multiplied) < 1e-7);
  CHECK(r.sums.sum == Approx(sum).epsilon(1e-12));
  CHECK(r.sums.product == Approx(product).epsilon(1e-12));
}

TEST_CASE("elementwise: the sums are the derivatives by offset and gain", "[elementwise]") {
  const auto gradient = random_values<float>(601, -1, 1, 3), image = random_values<float>(601, 0, 2, 4);
  const auto loss = [&](const std::vector<double>& gain_and_offset) {
    double sum = 0;
    for (std::size_t i = 0; i < image.size(); ++i)
      sum +=
          static_cast<double>(gradient[i]) * (gain_and_offset[0] * static_cast<double>(image[i]) + gain_and_offset[1]);
    return sum;
  };
  const auto numeric = numeric_gradient(loss, {1.1, -0.2});
  const Sums sums = run_on(make_context(), gradient, image).sums;
  CHECK(sums.product == Approx(numeric[0]).epsilon(1e-8));
  CHECK(sums.sum == Approx(numeric[1]).epsilon(1e-8));
}

TEST_CASE("elementwise: what is valid is what is not zero", "[elementwise]") {
  Context ctx = make_context();
  for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{1000}, std::size_t{70001}}) {
    std::vector<std::uint8_t> valid(n);
    std::size_t expected = 0;
    for (std::size_t i = 0; i < n; ++i) {
      valid[i] = static_cast<std::uint8_t>(i % 3 == 0 ? 0 : 1 + i % 255);
      expected += i % 3 != 0;
    }
    CHECK(count_valid(ctx, Buffer<std::uint8_t>::from_host(ctx, valid)) == expected);
  }
}

TEST_CASE("elementwise: numbers that are not finite are found, by their array", "[elementwise]") {
  Context ctx = make_context();
  constexpr float kInfinity = std::numeric_limits<float>::infinity(), kLargest = std::numeric_limits<float>::max();
  const float kNaN = std::numeric_limits<float>::quiet_NaN();
  NonFinite result;
  const auto look = [&](const WatchedArrays& arrays) {
    find_non_finite(ctx, arrays, result);
    return result.found.to_host(ctx)[0];
  };
  CHECK(look({}) == 0);
  std::vector<float> sound(70001, kLargest);
  sound[3] = -0.0f;
  sound[4] = std::numeric_limits<float>::denorm_min();
  const auto clean = Buffer<float>::from_host(ctx, sound);
  WatchedArrays arrays;
  arrays.fill(clean.view());
  CHECK(look(arrays) == 0);
  for (const float bad : {kInfinity, -kInfinity, kNaN, -kNaN})
    for (const std::size_t at : {std::size_t{0}, std::size_t{257}, std::size_t{32768}, sound.size() - 1}) {
      std::vector<float> values = sound;
      values[at] = bad;
      const auto spoilt = Buffer<float>::from_host(ctx, values);
      arrays[0] = arrays[15] = spoilt.view();
      arrays[7] = spoilt.view().subview(0, at);  // up to it
      CAPTURE(bad, at);
      CHECK(look(arrays) == 0x8001u);
    }
  arrays.fill(clean.view());
  CHECK(look(arrays) == 0);  // nothing is left of what was found
}

TEST_CASE("elementwise: the same bits on 1 and 2 threads", "[elementwise]") {
  const auto a = random_values<float>(40001, -1, 1, 5), b = random_values<float>(40001, -1, 1, 6);
  const Result one = run_on(Context::cpu(1), a, b), two = run_on(Context::cpu(2), a, b);
  CHECK((one.sums.sum == two.sums.sum && one.sums.product == two.sums.product));
  CHECK(one.affine == two.affine);
  CHECK(one.added == two.added);
  CHECK(one.multiplied == two.multiplied);
}

TEST_CASE("elementwise: CUDA agrees with the CPU", "[elementwise][parity]") {
  const std::size_t n = GENERATE(0u, 1u, 9003u, 70001u);  // the last: more than the sum has threads
  CAPTURE(n);
  const auto a = random_values<float>(n, -40, 40, 21), b = random_values<float>(n, -2, 2, 22);
  const Result expected = run_on(Context::cpu(1), a, b), found = run_on(make_context(), a, b);
  CHECK(relative_l2(found.affine, expected.affine) < 2e-7);
  CHECK(relative_l2(found.in_place, expected.in_place) < 2e-7);
  CHECK(relative_l2(found.scaled, expected.scaled) < 2e-7);
  CHECK(relative_l2(found.added, expected.added) < 2e-7);
  CHECK(relative_l2(found.multiplied, expected.multiplied) < 2e-7);
  CHECK(found.sums.sum == Approx(expected.sums.sum).epsilon(1e-12));
  CHECK(found.sums.product == Approx(expected.sums.product).epsilon(1e-12));
  const Sums again = run_on(make_context(), a, b).sums;
  CHECK((found.sums.sum == again.sum && found.sums.product == again.product));
}

TEST_CASE("elementwise: wrong sizes are refused", "[elementwise]") {
  Context ctx = make_context();
  auto three = Buffer<float>::zeros(ctx, 3), four = Buffer<float>::zeros(ctx, 4);
  CHECK_THROWS_AS(affine_values(ctx, 1, 0, three, four), InvalidArgument);
  CHECK_THROWS_AS(scale_values(ctx, 1, three, four), InvalidArgument);
  CHECK_THROWS_AS(add_scaled(ctx, 1, three, four), InvalidArgument);
  CHECK_THROWS_AS(add_product(ctx, three, four, three), InvalidArgument);
  CHECK_THROWS_AS(add_product(ctx, three, three, four), InvalidArgument);
  CHECK_THROWS_AS(sum_and_product(ctx, three, four), InvalidArgument);
}

}  // namespace dsasrgs
