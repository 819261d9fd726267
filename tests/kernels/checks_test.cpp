// The checks that all operators share.
#include "common/checks.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "dsasrgs/error.hpp"

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
                    Contains("op: bounds: expected 0 < min_mm < max_mm, finite, found 2.0") && Contains("and 1.0"));
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

}  // namespace dsasrgs
