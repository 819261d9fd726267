// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/geometry.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "dsasrgs/error.hpp"

using namespace dsasrgs;

namespace {
void check_close(Vec3d a, Vec3d b) {
  CHECK(a.x == Approx(b.x).margin(1e-9));
  CHECK(a.y == Approx(b.y).margin(1e-9));
  CHECK(a.z == Approx(b.z).margin(1e-9));
}
}  // namespace

TEST_CASE("geometry: C-arm poses at hand-checked angles", "[geometry]") {
  CArmView view;
  const Pose front = carm_pose(view, 2.5);
  check_close(front.source_mm, {750, 0, 0});
  check_close(front.detector_center_mm, {-450, 0, 0});
  check_close(front.detector_u, {0, 1, 0});
  check_close(front.detector_v, {0, 0, -1});
  CHECK(front.time_s == 2.5);

  view.primary_rad = std::numbers::pi / 2;
  view.secondary_rad = std::numbers::pi / 6;
  view.offset_u_mm = 10;
  view.offset_v_mm = -20;
  const Pose tilted = carm_pose(view, 0);
  const double c = std::sqrt(3.0) / 2;
  check_close(tilted.source_mm, {0, 750 * c, 375});
  check_close(tilted.detector_u, {-1, 0, 0});
  check_close(tilted.detector_v, {0, 0.5, -c});
  check_close(tilted.detector_center_mm, {-10, -450 * c - 10, -225 + 20 * c});
}

TEST_CASE("geometry: C-arm views out of range are refused", "[geometry]") {
  CArmView view;
  view.primary_rad = 90;
  CHECK_THROWS_AS(carm_pose(view, 0), InvalidArgument);
  view = {};
  view.sdd_mm = 700;
  CHECK_THROWS_AS(carm_pose(view, 0), InvalidArgument);
  view = {};
  view.sod_mm = -1;
  CHECK_THROWS_AS(carm_pose(view, 0), InvalidArgument);
  CHECK_THROWS_WITH(carm_pose({}, NAN), Catch::Contains("time_s: expected a finite time"));
  CircularSweep sweep;
  sweep.first_rad = sweep.arc_rad = 200 * std::numbers::pi / 180;  // to 400°, beyond 2π
  CHECK(circular_poses(sweep).size() == 133);
  sweep.num_views = 2000000000;
  CHECK_THROWS_WITH(circular_poses(sweep), "num_views: expected 1 to 1048576, found 2000000000");
  sweep = {};
  sweep.duration_s = NAN;
  CHECK_THROWS_AS(circular_poses(sweep), InvalidArgument);
}

TEST_CASE("geometry: projecting a detector point gives its pixel back, and the isocentre lands at the offset",
          "[geometry]") {
  CArmView view;
  view.primary_rad = 0.7;
  view.secondary_rad = -0.3;
  view.offset_u_mm = 12;
  view.offset_v_mm = -7;
  const Pose pose = carm_pose(view, 0);
  const Detector detector{100, 80, 0.5, 0.4};
  const Vec3d on_detector = detector_point(pose, detector, {13.25, 70.5});
  const Vec3d half_way = pose.source_mm + (on_detector - pose.source_mm) * 0.37;
  const Vec2d px = project_point(pose, detector, half_way);
  CHECK(px.x == Approx(13.25));
  CHECK(px.y == Approx(70.5));
  const Vec2d isocentre = project_point(pose, detector, {0, 0, 0});
  CHECK(isocentre.x == Approx(50 - 12 / 0.5));
  CHECK(isocentre.y == Approx(40 + 7 / 0.4));
  CHECK(std::isnan(project_point(pose, detector, pose.source_mm * 2).x));
}

TEST_CASE("geometry: a circular sweep is even in angle and time", "[geometry]") {
  CircularSweep sweep;
  sweep.num_views = 5;
  sweep.arc_rad = 2;
  sweep.duration_s = 8;
  const auto poses = circular_poses(sweep);
  REQUIRE(poses.size() == 5);
  CHECK(poses[1].time_s == Approx(2));
  CHECK(std::atan2(poses[3].source_mm.y, poses[3].source_mm.x) == Approx(1.5));
  sweep.num_views = 0;
  CHECK_THROWS_AS(circular_poses(sweep), InvalidArgument);
}

TEST_CASE("geometry: training views follow floor(arange(0, V, V/n))", "[geometry]") {
  CHECK(evenly_spaced_views(10, 4) == std::vector<int>{0, 2, 5, 7});
  CHECK(evenly_spaced_views(133, 30)[29] == 128);
  CHECK(evenly_spaced_views(3, 3) == std::vector<int>{0, 1, 2});
  CHECK_THROWS_AS(evenly_spaced_views(3, 4), InvalidArgument);
  CHECK_THROWS_AS(evenly_spaced_views(3, 0), InvalidArgument);
}

TEST_CASE("geometry: refined detectors and coarsened grids cover the same area", "[geometry]") {
  const Detector d = Detector{10, 6, 2, 3}.refined(4);
  CHECK(d == Detector{40, 24, 0.5, 0.75});
  CHECK_THROWS_AS(d.refined(0), InvalidArgument);
  const VolumeGrid g{10, 7, 4, {1, 2, 3}, {-5, 0, 2}};
  const VolumeGrid coarse = g.coarsened(2);
  CHECK(coarse.size_y == 4);
  check_close(coarse.extent_mm(), g.extent_mm());
  CHECK(coarse.origin_mm == g.origin_mm);
  CHECK(g.contains({-5, 14, 2}));
  CHECK_FALSE(g.contains({-5.1, 3, 3}));
}

TEST_CASE("geometry: sizes whose product overflows agree with no array", "[geometry]") {
  CHECK(num_elements(3, 4) == 12);
  CHECK(num_elements(0, 4, 5) == 0);
  CHECK(num_elements(1 << 16, 1 << 16, 1 << 16) == std::size_t{1} << 48);
  constexpr std::size_t kTooMany = std::size_t{1} << 51;
  CHECK(VolumeGrid{1 << 22, 1 << 21, 1 << 21, {1, 1, 1}, {}}.num_voxels() == kTooMany);  // 2^64
  CHECK(Detector{-24, -24, 1, 1}.num_pixels() == kTooMany);
}

TEST_CASE("geometry: counts without end are refused", "[geometry]") {
  constexpr int kMost = std::numeric_limits<int>::max();
  CircularSweep sweep;
  sweep.num_views = kMost;
  CHECK_THROWS_AS(circular_poses(sweep), InvalidArgument);
  CHECK_THROWS_AS(evenly_spaced_views(kMost, kMost), InvalidArgument);
  CHECK(evenly_spaced_views(1 << 20, 2) == std::vector<int>{0, 1 << 19});
}
