// SPDX-License-Identifier: Apache-2.0
#include "tile/tile.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "dsasrgs/error.hpp"
#include "support/context.hpp"

namespace dsasrgs::test {

namespace {

/// Boxes inside a width × height image, some empty, some as large as the image.
std::vector<PixelBox> random_boxes(std::size_t n, int width, int height, unsigned seed) {
  std::mt19937 generator(seed);
  const auto below = [&](int limit) { return static_cast<int>(generator() % static_cast<unsigned>(limit)); };
  std::vector<PixelBox> boxes(n);
  for (PixelBox& b : boxes) {
    b.x_begin = below(width);
    b.y_begin = below(height);
    const int side = generator() % 50 == 0 ? std::max(width, height) : 1 + below(12);
    b.x_end = std::min(width, b.x_begin + below(side + 1));
    b.y_end = std::min(height, b.y_begin + below(side + 1));
  }
  return boxes;
}

bool meets(const PixelBox& b, const TileGrid& g, int column, int row) {
  const int x0 = column * g.tile_width_px, y0 = row * g.tile_height_px;
  return !b.empty() && b.x_begin < x0 + g.tile_width_px && b.x_end > x0 && b.y_begin < y0 + g.tile_height_px &&
         b.y_end > y0;
}

void check_against_brute_force(Context& ctx, const std::vector<PixelBox>& boxes, const TileGrid& grid,
                               TileLists& lists) {
  tile_bin(ctx, Buffer<PixelBox>::from_host(ctx, boxes), grid, lists);
  const auto begin = lists.begin.to_host(ctx);
  const auto gaussian = lists.gaussian.to_host(ctx);
  REQUIRE(begin.size() == static_cast<std::size_t>(grid.size()) + 1);
  CHECK(begin[0] == 0);
  bool same = true;
  for (int row = 0; row < grid.rows(); ++row)
    for (int column = 0; column < grid.columns(); ++column) {
      std::vector<std::uint32_t> expected;
      for (std::size_t i = 0; i < boxes.size(); ++i)
        if (meets(boxes[i], grid, column, row)) expected.push_back(static_cast<std::uint32_t>(i));
      const auto t = static_cast<std::size_t>(row * grid.columns() + column);
      REQUIRE(begin[t + 1] <= gaussian.size());
      same =
          same && expected == std::vector<std::uint32_t>(gaussian.begin() + begin[t], gaussian.begin() + begin[t + 1]);
    }
  CHECK(same);
}

}  // namespace

TEST_CASE("tile: lists equal a brute-force search, ascending, for tiles and row bands", "[tile]") {
  Context ctx = make_context();
  TileLists lists;  // reused: large, small and large again
  for (const std::size_t n : {std::size_t{3001}, std::size_t{1}, std::size_t{257}}) {
    const auto boxes = random_boxes(n, 101, 67, 7);
    for (const TileGrid& grid : {TileGrid{101, 67, 16, 16}, TileGrid{101, 67, 101, 32}, TileGrid{101, 67, 7, 5},
                                 TileGrid{101, 67, 200, 100}, TileGrid{101, 67, 1, 67}})
      check_against_brute_force(ctx, boxes, grid, lists);
  }
}

TEST_CASE("tile: more Gaussians than one chunk give the same lists on 1 and 2 threads", "[tile]") {
  Context one = make_context(1), two = make_context(2);
  const auto boxes = random_boxes(40007, 512, 300, 3);
  const TileGrid grid{512, 300, 64, 100};
  TileLists a, b;
  check_against_brute_force(one, boxes, grid, a);
  tile_bin(two, Buffer<PixelBox>::from_host(two, boxes), grid, b);
  const auto begin = a.begin.to_host(one);
  CHECK(begin == b.begin.to_host(two));
  const auto in_a = a.gaussian.to_host(one), in_b = b.gaussian.to_host(two);
  CHECK(std::equal(in_a.begin(), in_a.begin() + begin.back(), in_b.begin()));
}

TEST_CASE("tile: a box that reaches outside the image is listed for its part inside", "[tile]") {
  Context ctx = make_context();
  const std::vector<PixelBox> boxes{{-5, -5, 3, 3}, {95, 60, 200, 300}, {-9, -9, -1, -1}, {101, 0, 130, 67}};
  TileLists lists;
  tile_bin(ctx, Buffer<PixelBox>::from_host(ctx, boxes), TileGrid{101, 67, 16, 16}, lists);
  const auto begin = lists.begin.to_host(ctx), gaussian = lists.gaussian.to_host(ctx);
  REQUIRE(begin.back() == 1 + 1 * 2 + 1 * 2);
  CHECK(begin[1] == 1);
  CHECK(gaussian[0] == 0);
  CHECK(gaussian[1] == 1);
}

TEST_CASE("tile: no Gaussians give empty lists", "[tile]") {
  Context ctx = make_context();
  TileLists lists;
  tile_bin(ctx, {}, TileGrid{33, 17, 16, 16}, lists);
  CHECK(lists.begin.to_host(ctx) == std::vector<std::uint32_t>(3 * 2 + 1, 0u));
}

TEST_CASE("tile: an empty image and an empty tile are refused", "[tile]") {
  Context ctx = make_context();
  TileLists lists;
  CHECK_THROWS_AS(tile_bin(ctx, {}, TileGrid{0, 4, 2, 2}, lists), InvalidArgument);
  CHECK_THROWS_AS(tile_bin(ctx, {}, TileGrid{4, -1, 2, 2}, lists), InvalidArgument);
  CHECK_THROWS_AS(tile_bin(ctx, {}, TileGrid{4, 4, 0, 2}, lists), InvalidArgument);
  CHECK_THROWS_AS(tile_bin(ctx, {}, TileGrid{4, 4, 2, 0}, lists), InvalidArgument);
}

// [long]: a device counts them one by one, which takes the emulated one minutes.
TEST_CASE("tile: too many pairs are refused", "[tile][long]") {
  Context ctx = make_context();
  TileLists lists;
  // 65 536 tiles × 65 536 Gaussians = 2³² pairs.
  const std::vector<PixelBox> boxes(65536, PixelBox{0, 0, 256, 256});
  CHECK_THROWS_AS(tile_bin(ctx, Buffer<PixelBox>::from_host(ctx, boxes), TileGrid{256, 256, 1, 1}, lists),
                  InvalidArgument);
}

TEST_CASE("tile: CUDA agrees with the CPU", "[tile][parity]") {
  Context cpu = Context::cpu(1), ctx = make_context();
  TileLists expected, found;
  // The kernel looks for 262 144 Gaussians at a time.
  for (const std::size_t n : {0, 1, 255, 5003, 262144, 530001}) {
    const auto boxes = random_boxes(n, 301, 203, 11);
    const TileGrid grid{301, 203, n < 10000 ? 16 : 100, n < 10000 ? 16 : 70};
    tile_bin(cpu, Buffer<PixelBox>::from_host(cpu, boxes), grid, expected);
    tile_bin(ctx, Buffer<PixelBox>::from_host(ctx, boxes), grid, found);
    const auto begin = expected.begin.to_host(cpu);
    REQUIRE(begin == found.begin.to_host(ctx));
    auto a = expected.gaussian.to_host(cpu), b = found.gaussian.to_host(ctx);
    REQUIRE(b.size() >= begin.back());
    a.resize(begin.back());
    b.resize(begin.back());
    CHECK(a == b);
  }
}

}  // namespace dsasrgs::test
