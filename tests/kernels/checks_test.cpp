// SPDX-License-Identifier: Apache-2.0
// The checks that all operators share.
#include "common/checks.hpp"

#include <catch2/catch.hpp>
#include <climits>
#include <cmath>

#include "attenuation/attenuation.hpp"
#include "densify/densify.hpp"
#include "dsasrgs/error.hpp"
#include "fdk/fdk.hpp"
#include "hash_grid/hash_grid.hpp"
#include "mlp/mlp.hpp"
#include "resample/resample.hpp"
#include "residual/residual.hpp"
#include "ssim/ssim.hpp"
#include "tile/tile.hpp"
#include "tv/tv.hpp"

namespace dsasrgs {

using Catch::Contains;

TEST_CASE("checks: a refusal names operator, argument, what was expected and what was found", "[checks]") {
  const float numbers[4] = {};
  const View<const float> three{numbers, 3}, four{numbers, 4};
  CHECK_NOTHROW(require_cloud("op", {three, three, four, {0.1f, 1}}));
  CHECK_THROWS_WITH(require_cloud("op", {three, three, four, {0.1f, 1}}, 2),
                    "op: position_mm: expected 6 elements, found 3");
  CHECK_THROWS_WITH(require_cloud("op", {three, four, four, {0.1f, 1}}), "op: raw_scale: expected 3 elements, found 4");
  CHECK_THROWS_WITH(require_cloud("op", {three, three, three, {0.1f, 1}}),
                    "op: rotation: expected 4 elements, found 3");
  CHECK_THROWS_WITH(require_cloud("op", {three, three, four, {2, 1}}),
                    Contains("op: bounds: expected 0 < min_mm < max_mm, finite, found 2 ") && Contains("and 1"));
  CHECK_THROWS_WITH(require_image("op", "label", 0, 7), "op: label: expected at least 1 x 1 pixels, found 0 x 7");
  CHECK_THROWS_WITH(require_voxels("op", {3, 4, -5, {1, 1, 1}, {}}),
                    "op: grid: expected at least 1 x 1 x 1 voxels, found 3 x 4 x -5");
  CHECK_THROWS_WITH(require_grid("op", {3, 4, 5, {1, NAN, 1}, {}}), Contains("op: grid: expected a positive spacing"));
  CHECK_THROWS_WITH(require_detector("op", {3, 4, 1, 0}), Contains("op: detector: expected a positive pitch"));
}

TEST_CASE("checks: an empty cloud needs no bounds; images and grids say how large they are", "[checks]") {
  CHECK_NOTHROW(require_cloud("op", {}));
  CHECK(require_image("op", "image", 70000, 70000) == 4900000000u);
  CHECK(require_detector("op", {3, 4, 1, 2}) == 12);
  CHECK(require_grid("op", {3, 4, 5, {1, 2, 3}, {}}) == 60);
}

TEST_CASE("checks: counts, least values and rows name their field", "[checks]") {
  CHECK_NOTHROW(require_count("op", "levels", 3, 1, 3));
  CHECK_THROWS_WITH(require_count("op", "levels", 4, 1, 3), "op: levels: expected 1 to 3, found 4");
  CHECK_THROWS_WITH(require_count("op", "step", -1, 0), "op: step: expected 0 or more, found -1");
  CHECK_THROWS_WITH(require_at_least("op", "growth", NAN, 1), Contains("op: growth: expected 1 or more, found"));
  CHECK(require_rows("op", "position", 3, 6) == 2);
  CHECK_THROWS_WITH(require_rows("op", "position", 3, 7), "op: position: expected rows of 3 numbers, found 7 in all");
}

TEST_CASE("checks: sizes that overflow agree with nothing", "[checks]") {
  CHECK(size_product(SIZE_MAX, 2) == SIZE_MAX);
  CHECK(size_product(0, SIZE_MAX) == 0);
  CHECK(size_product(std::size_t{1} << 32, std::size_t{1} << 32) == SIZE_MAX);
  CHECK(require_image("op", "image", INT_MAX, INT_MAX) > std::size_t{1} << 50);
  Context ctx = Context::cpu(1);
  const float numbers[96] = {};
  const View<const float> none{numbers, 0}, sixteen{numbers, 16};
  Buffer<float> out(ctx, 16);
  // 16 · 2^30 · 2^30 = 2^64
  CHECK_THROWS_AS(upsample_bicubic(ctx, {4, 4, 1 << 30}, sixteen, {}), InvalidArgument);
  CHECK_THROWS_AS(pool_average(ctx, {4, 4, 1 << 30}, none, out), InvalidArgument);
  const Detector huge{INT_MAX, INT_MAX, 1, 1};
  const VolumeGrid huge_grid{1 << 22, 1 << 21, 1 << 21, {1, 1, 1}, {}}, negative{-1, -1, 1, {1, 1, 1}, {}};
  const std::vector<Pose> poses(8192);  // times 2^51 pixels: 2^64
  CHECK_THROWS_AS(fdk_reconstruct(ctx, {none, poses, huge, {1, 1, 1, {1, 1, 1}, {}}}, out.view().subview(0, 1)),
                  InvalidArgument);
  TotalVariationSaved saved;
  CHECK_THROWS_AS(total_variation_forward(ctx, huge_grid, none, saved), InvalidArgument);
  CHECK_THROWS_AS(ResidualScores::zeros(ctx, negative), InvalidArgument);
  for (const int side : {1 << 16, INT_MAX}) {
    CHECK_THROWS_AS(ssim_map(ctx, {side, side}, none, none, {}), InvalidArgument);
    TileLists lists;
    CHECK_THROWS_AS(tile_bin(ctx, {}, {side, side, 1, 1}, lists), InvalidArgument);
    CHECK_NOTHROW(tile_bin(ctx, {}, {side, side, INT_MAX, INT_MAX}, lists));  // one tile
    CHECK_THROWS_AS(mlp_num_parameters({side, side, side}), InvalidArgument);
    CHECK_THROWS_AS(hash_grid_levels({3, side, 4, 1, 1}), InvalidArgument);
    CHECK_THROWS_AS(hash_grid_levels({3, 1, side, 1, 1}), InvalidArgument);
  }
  DensityPlan plan;
  plan.num_sources = std::size_t{1} << 34;  // times 2^30 columns: 2^64
  const RowGather rows{1 << 30, false, none, {}};
  CHECK_THROWS_AS(gather_rows(ctx, plan, {&rows, 1}), InvalidArgument);
}

}  // namespace dsasrgs
