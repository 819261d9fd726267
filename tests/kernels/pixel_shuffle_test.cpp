// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <vector>

#include "convolve/convolve.hpp"
#include "convolve/convolve_math.hpp"
#include "dsasrgs/error.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;

namespace {

std::size_t size_of(const PixelShuffleShape& s) {
  return static_cast<std::size_t>(s.images * s.channels * s.scale * s.scale * s.low_width_px * s.low_height_px);
}

std::vector<float> shuffled(Context& ctx, const PixelShuffleShape& shape, const std::vector<float>& low) {
  const auto in = Buffer<float>::from_host(ctx, low);
  auto out = Buffer<float>::from_host(ctx, std::vector<float>(low.size(), 99));
  pixel_shuffle(ctx, shape, in, out);
  return out.to_host(ctx);
}

std::vector<float> adjoint(Context& ctx, const PixelShuffleShape& shape, const std::vector<float>& high,
                           GradientMode mode = GradientMode::overwrite, float before = 99) {
  const auto in = Buffer<float>::from_host(ctx, high);
  auto out = Buffer<float>::from_host(ctx, std::vector<float>(high.size(), before));
  pixel_shuffle_adjoint(ctx, shape, in, mode, out);
  return out.to_host(ctx);
}

PixelShuffleShape any_shape() {
  const auto [n, c, w, h, s] = GENERATE(table<int, int, int, int, int>(
      {{1, 1, 1, 1, 1}, {1, 1, 5, 3, 4}, {2, 3, 7, 2, 2}, {1, 2, 1, 9, 3}, {3, 1, 48, 5, 4}, {2, 1, 33, 1, 5}}));
  CAPTURE(n, c, w, h, s);
  return {n, c, w, h, s};
}

}  // namespace

TEST_CASE("pixel_shuffle: four channels of two pixels become the image written down by hand", "[convolve]") {
  Context ctx = test::make_context();
  // Channels a, b, c, d of pixels 1 and 2: rows a1 b1 a2 b2 and c1 d1 c2 d2.
  CHECK(shuffled(ctx, {1, 1, 2, 1, 2}, {11, 12, 21, 22, 31, 32, 41, 42}) ==
        std::vector<float>{11, 21, 12, 22, 31, 41, 32, 42});
}

TEST_CASE("pixel_shuffle: every element goes where its equation says", "[convolve]") {
  Context ctx = test::make_context();
  const PixelShuffleShape shape = any_shape();
  const int s = shape.scale, w = shape.low_width_px, h = shape.low_height_px;
  const auto low = test::random_values<float>(size_of(shape), -1, 1, 1);
  const auto high = shuffled(ctx, shape, low);
  for (int nc = 0; nc < shape.images * shape.channels; ++nc)
    for (int y = 0; y < h; ++y)
      for (int x = 0; x < w; ++x)
        for (int i = 0; i < s; ++i)
          for (int j = 0; j < s; ++j)
            REQUIRE(high[static_cast<std::size_t>((nc * h * s + y * s + i) * w * s + x * s + j)] ==
                    low[static_cast<std::size_t>(((nc * s * s + i * s + j) * h + y) * w + x)]);
}

TEST_CASE("pixel_shuffle: the adjoint is the inverse, overwrites or accumulates", "[convolve]") {
  Context ctx = test::make_context();
  const PixelShuffleShape shape = any_shape();
  const auto x = test::random_values<float>(size_of(shape), -1, 1, 2),
             y = test::random_values<float>(size_of(shape), -1, 1, 3);
  CHECK(test::inner_product(shuffled(ctx, shape, x), y) ==
        Approx(test::inner_product(x, adjoint(ctx, shape, y))).epsilon(1e-9));
  CHECK(adjoint(ctx, shape, shuffled(ctx, shape, x)) == x);
  const auto added = adjoint(ctx, shape, shuffled(ctx, shape, x), GradientMode::accumulate, 0.5f);
  for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(added[i] == 0.5f + x[i]);
}

TEST_CASE("pixel_shuffle: CUDA agrees with the CPU to the bit", "[convolve][parity]") {
  Context cpu = Context::cpu(1), cuda = test::make_context();
  const PixelShuffleShape shape = any_shape();
  const auto x = test::random_values<float>(size_of(shape), -1, 1, 4);
  CHECK(shuffled(cuda, shape, x) == shuffled(cpu, shape, x));
  for (const GradientMode mode : {GradientMode::overwrite, GradientMode::accumulate})
    CHECK(adjoint(cuda, shape, x, mode) == adjoint(cpu, shape, x, mode));
}

TEST_CASE("pixel_shuffle: arguments are checked, and no images are nothing", "[convolve]") {
  Context ctx = test::make_context();
  auto low = Buffer<float>::zeros(ctx, 24), high = Buffer<float>::zeros(ctx, 24), other = Buffer<float>::zeros(ctx, 23);
  const PixelShuffleShape good{1, 1, 3, 2, 2};
  for (const PixelShuffleShape bad :
       {PixelShuffleShape{-1, 1, 3, 2, 2}, PixelShuffleShape{1, 0, 3, 2, 2}, PixelShuffleShape{1, 1, 0, 2, 2},
        PixelShuffleShape{1, 1, 3, 2, 0}, PixelShuffleShape{1, 1, 3, 2, 3}, PixelShuffleShape{2, 1, 3, 2, 2}}) {
    CHECK_THROWS_AS(pixel_shuffle(ctx, bad, low, high), InvalidArgument);
    CHECK_THROWS_AS(pixel_shuffle_adjoint(ctx, bad, high, GradientMode::overwrite, low), InvalidArgument);
  }
  CHECK_THROWS_WITH(pixel_shuffle(ctx, good, other, high), "pixel_shuffle: low: expected 24 elements, found 23");
  CHECK_THROWS_WITH(pixel_shuffle(ctx, good, low, other), "pixel_shuffle: high: expected 24 elements, found 23");
  CHECK_NOTHROW(pixel_shuffle(ctx, good, low, high));
  CHECK_NOTHROW(pixel_shuffle(ctx, {0, 1, 3, 2, 2}, {}, {}));
}
