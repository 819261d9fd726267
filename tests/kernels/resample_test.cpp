// SPDX-License-Identifier: Apache-2.0
#include "resample/resample.hpp"

#include <catch2/catch.hpp>

#include "dsasrgs/error.hpp"
#include "oracle/resample_oracle.hpp"
#include "resample/resample_math.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;

namespace {

std::vector<float> upsample(const ResampleShape& shape, const std::vector<float>& low, int threads = 2) {
  Context ctx = test::make_context(threads);
  const auto in = Buffer<float>::from_host(ctx, low);
  Buffer<float> out(ctx, low.size() * shape.scale * shape.scale);
  upsample_bicubic(ctx, shape, in, out);
  return out.to_host(ctx);
}

std::vector<float> pool(const ResampleShape& shape, const std::vector<float>& high, int threads = 2) {
  Context ctx = test::make_context(threads);
  const auto in = Buffer<float>::from_host(ctx, high);
  Buffer<float> out(ctx, high.size() / (shape.scale * shape.scale));
  pool_average(ctx, shape, in, out);
  return out.to_host(ctx);
}

std::vector<float> pool_adjoint(const ResampleShape& shape, const std::vector<float>& low,
                                GradientMode mode = GradientMode::overwrite, float initial = 7, int threads = 2) {
  Context ctx = test::make_context(threads);
  const auto in = Buffer<float>::from_host(ctx, low);
  auto out = Buffer<float>::from_host(ctx, std::vector<float>(low.size() * shape.scale * shape.scale, initial));
  pool_average_adjoint(ctx, shape, in, mode, out);
  return out.to_host(ctx);
}

ResampleShape any_shape() {
  const auto [w, h, s] = GENERATE(table<int, int, int>(
      {{1, 1, 4}, {1, 9, 2}, {9, 1, 3}, {2, 3, 5}, {17, 11, 1}, {16, 8, 4}, {37, 29, 2}, {21, 18, 4}}));
  CAPTURE(w, h, s);
  return {w, h, s};
}

std::vector<float> random_image(const ResampleShape& shape, int scale, std::uint32_t seed) {
  return test::random_values<float>(static_cast<std::size_t>(shape.low_width_px) * shape.low_height_px * scale * scale,
                                    -1, 1, seed);
}

}  // namespace

TEST_CASE("resample: the cubic kernel interpolates and its weights sum to one", "[resample]") {
  CHECK(keys_cubic(0.0) == 1);
  CHECK(keys_cubic(1.0) == 0);
  CHECK(keys_cubic(-2.0) == 0);
  CHECK(keys_cubic(0.5) == Approx(0.5625));
  CHECK(keys_cubic(-1.5) == Approx(-0.0625));
  for (int scale = 1; scale <= 7; ++scale)
    for (int p = 0; p < scale; ++p) {
      const auto phase = cubic_phase<double>(p, scale);
      CHECK(phase.weight[0] + phase.weight[1] + phase.weight[2] + phase.weight[3] == Approx(1).epsilon(1e-14));
    }
}

TEST_CASE("resample: bicubic upsampling agrees with Catmull-Rom splines in double", "[resample]") {
  const ResampleShape shape = any_shape();
  const auto low = random_image(shape, 1, 2);
  const auto expected = test::upsample_oracle(low, shape.low_width_px, shape.low_height_px, shape.scale);
  CHECK(test::max_difference(upsample(shape, low), expected) < 1e-6);
}

TEST_CASE("resample: bicubic upsampling keeps constants, linear ramps in the interior, and scale 1", "[resample]") {
  const ResampleShape shape{13, 10, 4};
  CHECK(test::max_difference(upsample(shape, std::vector<float>(130, 3)), std::vector<float>(130 * 16, 3)) < 1e-6);

  std::vector<float> ramp;
  for (int r = 0; r < 10; ++r)
    for (int c = 0; c < 13; ++c) ramp.push_back(static_cast<float>(0.5 * c - 0.25 * r));
  const auto high = upsample(shape, ramp);
  for (int r = 8; r < 32; ++r)
    for (int c = 8; c < 44; ++c) {
      const double expected = 0.5 * ((c + 0.5) / 4 - 0.5) - 0.25 * ((r + 0.5) / 4 - 0.5);
      CHECK(high[r * 52 + c] == Approx(expected).margin(1e-6));
    }

  const ResampleShape same{13, 10, 1};
  CHECK(test::max_difference(upsample(same, ramp), ramp) == 0);
}

TEST_CASE("resample: pooling is the mean of each block", "[resample]") {
  const ResampleShape shape = any_shape();
  const int s = shape.scale, w = shape.low_width_px, h = shape.low_height_px;
  const auto high = random_image(shape, s, 3);
  std::vector<double> expected;
  for (int r = 0; r < h; ++r)
    for (int c = 0; c < w; ++c) {
      double sum = 0;
      for (int i = 0; i < s; ++i)
        for (int j = 0; j < s; ++j) sum += static_cast<double>(high[(r * s + i) * w * s + c * s + j]);
      expected.push_back(sum / (s * s));
    }
  CHECK(test::max_difference(pool(shape, high), expected) < 1e-6);
}

TEST_CASE("resample: pool_average_adjoint is the adjoint of pool_average", "[resample]") {
  const ResampleShape shape = any_shape();
  const auto x = random_image(shape, shape.scale, 4), y = random_image(shape, 1, 5);
  const double left = test::inner_product(pool(shape, x), y);
  const double right = test::inner_product(x, pool_adjoint(shape, y));
  CHECK(left == Approx(right).epsilon(1e-5).margin(1e-6));
}

TEST_CASE("resample: the adjoint's gradient overwrites or accumulates", "[resample]") {
  const ResampleShape shape{5, 3, 2};
  const auto low = random_image(shape, 1, 6);
  const auto set = pool_adjoint(shape, low), added = pool_adjoint(shape, low, GradientMode::accumulate, 0.5f);
  for (int r = 0; r < 6; ++r)
    for (int c = 0; c < 10; ++c) {
      CHECK(set[r * 10 + c] == 0.25f * low[r / 2 * 5 + c / 2]);
      CHECK(added[r * 10 + c] == 0.5f + set[r * 10 + c]);
    }
}

TEST_CASE("resample: same bits for 1 and 2 threads", "[resample]") {
  const ResampleShape shape{31, 41, 3};
  const auto low = random_image(shape, 1, 7), high = random_image(shape, 3, 8);
  CHECK(upsample(shape, low, 1) == upsample(shape, low, 2));
  CHECK(pool(shape, high, 1) == pool(shape, high, 2));
  CHECK(pool_adjoint(shape, low, GradientMode::overwrite, 0, 1) ==
        pool_adjoint(shape, low, GradientMode::overwrite, 0, 2));
}

TEST_CASE("resample: CUDA agrees with the CPU", "[resample][parity]") {
  Context cpu = Context::cpu(1), ctx = test::make_context();
  const auto [w, h, s] =
      GENERATE(table<int, int, int>({{1, 1, 1}, {1, 1, 5}, {133, 71, 4}, {67, 35, 2}, {41, 27, 3}, {300, 9, 1}}));
  CAPTURE(w, h, s);
  const ResampleShape shape{w, h, s};
  const std::size_t num_low = static_cast<std::size_t>(w) * h, num_high = num_low * s * s;
  // The image starts one pixel into its memory, too, where no vector could be read.
  for (const std::size_t offset : {std::size_t{0}, std::size_t{1}}) {
    const auto low = test::random_values<float>(num_low + offset, -1, 1, 9);
    const auto high = test::random_values<float>(num_high + offset, -1, 1, 10);
    const auto all = [&](Context& c) {
      const auto low_in = Buffer<float>::from_host(c, low), high_in = Buffer<float>::from_host(c, high);
      auto up = Buffer<float>::zeros(c, num_high), down = Buffer<float>::zeros(c, num_low);
      auto set = Buffer<float>::from_host(c, high), added = Buffer<float>::from_host(c, high);
      const auto low_view = low_in.view().subview(offset, num_low),
                 high_view = high_in.view().subview(offset, num_high);
      upsample_bicubic(c, shape, low_view, up);
      pool_average(c, shape, high_view, down);
      pool_average_adjoint(c, shape, low_view, GradientMode::overwrite, set.view().subview(offset, num_high));
      pool_average_adjoint(c, shape, low_view, GradientMode::accumulate, added.view().subview(offset, num_high));
      return std::vector<std::vector<float>>{up.to_host(c), down.to_host(c), set.to_host(c), added.to_host(c)};
    };
    const auto expected = all(cpu), found = all(ctx);
    for (std::size_t i = 0; i < found.size(); ++i) {
      CAPTURE(offset, i);
      CHECK(test::relative_l2(found[i], expected[i]) < (i == 0 ? 1e-6 : 1e-7));  // upsampling rounds its weights
      CHECK(test::max_difference(found[i], expected[i]) < 1e-6);
    }
  }
}

TEST_CASE("resample: arguments are checked", "[resample]") {
  Context ctx = test::make_context();
  auto low = Buffer<float>::zeros(ctx, 6), high = Buffer<float>::zeros(ctx, 24);
  const ResampleShape good{3, 2, 2};
  for (const ResampleShape bad : {ResampleShape{3, 2, 0}, ResampleShape{0, 2, 2}, ResampleShape{3, -1, 2},
                                  ResampleShape{2, 2, 2}, ResampleShape{3, 2, 3}}) {
    CHECK_THROWS_AS(upsample_bicubic(ctx, bad, low, high), InvalidArgument);
    CHECK_THROWS_AS(pool_average(ctx, bad, high, low), InvalidArgument);
    CHECK_THROWS_AS(pool_average_adjoint(ctx, bad, low, GradientMode::overwrite, high), InvalidArgument);
  }
  CHECK_NOTHROW(upsample_bicubic(ctx, good, low, high));
}
