// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>

#include "dsasrgs/error.hpp"
#include "dsasrgs/uncertainty.hpp"
#include "support/context.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using namespace dsasrgs::test;

namespace {

const VolumeGrid kGrid{20, 20, 20, {4, 4, 4}, {-40, -40, -40}};
const Detector kFlat{48, 48, 1.6, 1.6};  // at a magnification of 1.6, 1 mm at the isocentre is 1 pixel

}  // namespace

TEST_CASE("support map: views that see a voxel and how widely they are spread", "[uncertainty]") {
  Context ctx = make_context();
  Acquisition a;
  a.detector = kFlat;
  a.volume = kGrid;
  const double arc = std::numbers::pi / 3;
  a.poses = circular_poses({.num_views = 200, .arc_rad = arc, .duration_s = 1, .view = {}});
  a.projections.assign(200 * kFlat.num_pixels(), 0);
  const VolumeGrid middle{1, 1, 1, {1, 1, 1}, {-0.5, -0.5, -0.5}};
  const SupportMap dense = support_map(ctx, a, a.training_views(), middle);
  CHECK(dense.views.at(0) == 200);
  CHECK(dense.spread_rad.at(0) == Approx(arc).epsilon(0.01));
  // Two lines at an angle b: moments 1 ± cos b.
  const SupportMap two = support_map(ctx, a, {0, 199}, middle);
  const double ratio = std::pow(std::tan(arc / 2), 2), found = static_cast<double>(two.spread_rad.at(0));
  CHECK(two.views.at(0) == 2);
  CHECK((found - std::sin(found)) / (found + std::sin(found)) == Approx(ratio).epsilon(1e-4));
  CHECK(support_map(ctx, a, {5}, middle).spread_rad.at(0) == 0);

  // Opposite views look along one line; a quarter of the detector does not count.
  a.poses = circular_poses({.num_views = 2, .arc_rad = std::numbers::pi, .duration_s = 1, .view = {}});
  a.projections.assign(2 * kFlat.num_pixels(), 0);
  a.valid.assign(kFlat.num_pixels(), 1);
  for (int row = 0; row < 12; ++row)
    for (int column = 0; column < 48; ++column) a.valid[static_cast<std::size_t>(48 * row + column)] = 0;
  const SupportMap opposite = support_map(ctx, a, {0, 1}, kGrid);
  const auto at = [](int x, int y, int z) { return static_cast<std::size_t>((z * 20 + y) * 20 + x); };
  CHECK(opposite.views.at(at(10, 10, 10)) == 2);
  CHECK(opposite.spread_rad.at(at(10, 10, 10)) < 0.02f);
  CHECK(opposite.views.at(at(10, 10, 14)) == 0);  // 18 mm up, in the rows that do not count (v points down)
  CHECK(opposite.views.at(at(10, 10, 5)) == 2);
  CHECK(opposite.views.at(at(10, 10, 0)) == 0);  // 38 mm down, off the detector

  std::vector<Pose> turned = a.poses;  // as a model may have corrected them
  std::swap(turned[0], turned[1]);
  turned[1].detector_center_mm.z += 200;  // the second looks past the volume
  CHECK(support_map(ctx, a, turned, {0, 1}, kGrid).views.at(at(10, 10, 10)) == 1);
  CHECK(support_map(ctx, a, turned, {0}, kGrid).views == support_map(ctx, a, {1}, kGrid).views);
  turned.pop_back();
  require_error<InvalidArgument>([&] { support_map(ctx, a, turned, {0}, kGrid); }, {"poses", "2", "1"});
  require_error<InvalidArgument>([&] { support_map(ctx, a, {}, kGrid); }, {"views"});
  require_error<InvalidArgument>([&] { support_map(ctx, a, {2}, kGrid); }, {"view"});
  require_error<InvalidArgument>([&] { support_map(ctx, a, {0}, {}); }, {"support_map"});
  require_error<Cancelled>([&] { support_map(ctx, a, {0}, kGrid, [](const ProgressReport& r) { return r.done < 3; }); },
                           {"supporting", "3 of 20 slices"});
}
