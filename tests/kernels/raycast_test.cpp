// SPDX-License-Identifier: Apache-2.0
#include "raycast/raycast.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "dsasrgs/error.hpp"
#include "oracle/raycast_oracle.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"

namespace dsasrgs {
namespace {

std::vector<float> cast(Context& ctx, const std::vector<float>& volume, const VolumeGrid& grid, const Pose& pose,
                        const Detector& detector) {
  const Buffer<float> device = Buffer<float>::from_host(ctx, volume);
  Buffer<float> image = Buffer<float>::from_host(ctx, std::vector<float>(detector.num_pixels(), NAN));
  raycast(ctx, {device, grid, pose, detector}, image);
  return image.to_host(ctx);
}

std::vector<float> cast(const std::vector<float>& volume, const VolumeGrid& grid, const Pose& pose,
                        const Detector& detector, int threads = 2) {
  Context ctx = test::make_context(threads);
  return cast(ctx, volume, grid, pose, detector);
}

// One number per pixel, from the world positions of source and pixel centre.
template <class F>
std::vector<double> per_pixel(const Pose& pose, const Detector& detector, F&& f) {
  std::vector<double> image;
  for (int r = 0; r < detector.height_px; ++r)
    for (int c = 0; c < detector.width_px; ++c)
      image.push_back(f(pose.source_mm, detector_point(pose, detector, {c + 0.5, r + 0.5})));
  return image;
}

Pose view(double primary_rad, double secondary_rad, double offset_u_mm = 0, double offset_v_mm = 0) {
  CArmView v;
  v.primary_rad = primary_rad;
  v.secondary_rad = secondary_rad;
  v.offset_u_mm = offset_u_mm;
  v.offset_v_mm = offset_v_mm;
  return carm_pose(v, 0);
}

// Both signs of each dominant axis, each at an angle.
std::vector<Pose> views_of_all_axes() {
  constexpr double kPi = std::numbers::pi;
  return {view(0.2, 0.15),          view(kPi - 0.3, -0.1),    view(kPi / 2 + 0.25, 0.2), view(-kPi / 2 - 0.1, -0.3),
          view(0.4, kPi / 2 - 0.3), view(1.0, -kPi / 2 + 0.2)};
}

double coordinate(Vec3d v, int axis) { return axis == 0 ? v.x : axis == 1 ? v.y : v.z; }

// Where the ray runs through the box's two faces across its dominant axis and no others: the parameters t of the two
// points from + t·(to − from); otherwise first = second = NaN.
std::pair<double, double> face_crossings(const VolumeGrid& grid, Vec3d from, Vec3d to) {
  const Vec3d d = to - from, low = grid.origin_mm, high = low + grid.extent_mm();
  for (int axis = 0; axis < 3; ++axis) {
    const double t0 = (coordinate(low, axis) - coordinate(from, axis)) / coordinate(d, axis);
    const double t1 = (coordinate(high, axis) - coordinate(from, axis)) / coordinate(d, axis);
    bool through = true;
    for (int other = 0; other < 3; ++other)
      for (const double t : {t0, t1}) {
        const double x = coordinate(from + d * t, other), half = 0.5 * coordinate(grid.spacing_mm, other);
        if (other != axis && (x < coordinate(low, other) + half || x > coordinate(high, other) - half)) through = false;
      }
    if (through) return {std::min(t0, t1), std::max(t0, t1)};
  }
  return {NAN, NAN};
}

const VolumeGrid kGrid{30, 28, 26, {1.5, 1.75, 1.625}, {-20, -26, -19}};
const Detector kDetector{37, 29, 2.5, 2.25};

std::vector<float> linear_volume(const VolumeGrid& grid, double value, Vec3d slope_per_mm) {
  std::vector<float> volume;
  for (int k = 0; k < grid.size_z; ++k)
    for (int j = 0; j < grid.size_y; ++j)
      for (int i = 0; i < grid.size_x; ++i) {
        const Vec3d p = grid.origin_mm + Vec3d{(i + 0.5) * grid.spacing_mm.x, (j + 0.5) * grid.spacing_mm.y,
                                               (k + 0.5) * grid.spacing_mm.z};
        volume.push_back(static_cast<float>(value + dot(p, slope_per_mm)));
      }
  return volume;
}

}  // namespace

TEST_CASE("raycast: a constant box gives its path length and a linear one the value in the middle of it", "[raycast]") {
  const bool linear = GENERATE(false, true);
  const double value = 0.03;
  const Vec3d slope = linear ? Vec3d{2e-4, -3e-4, 1.5e-4} : Vec3d{};
  const std::vector<float> volume = linear_volume(kGrid, value, slope);
  for (const Pose& pose : views_of_all_axes()) {
    const std::vector<float> image = cast(volume, kGrid, pose, kDetector);
    int num_checked = 0;
    std::size_t pixel = 0;
    per_pixel(pose, kDetector, [&](Vec3d from, Vec3d to) {
      const auto [t0, t1] = face_crossings(kGrid, from, to);
      if (std::isfinite(t0)) {
        const double path_mm = (t1 - t0) * length(to - from);
        const double expected = path_mm * (value + dot(from + (to - from) * (0.5 * (t0 + t1)), slope));
        CHECK(static_cast<double>(image[pixel]) == Approx(expected).epsilon(5e-6));
        ++num_checked;
      }
      ++pixel;
      return 0.0;
    });
    CHECK(num_checked > 60);
  }
}

TEST_CASE("raycast: agrees with the layer-by-layer sum in double, borders and misses included", "[raycast]") {
  const Detector wide{45, 37, 3.5, 3.5};
  std::vector<Pose> poses = views_of_all_axes();
  poses.push_back(view(0.78, 0.1, 17, -9));  // detector offset, two axes nearly equal
  poses.push_back(view(0, 0));               // along an axis
  for (const Pose& pose : poses) {
    const std::vector<float> volume = test::random_values(kGrid.num_voxels(), -0.05f, 0.1f, 3);
    const std::vector<float> image = cast(volume, kGrid, pose, wide);
    const std::vector<double> expected =
        per_pixel(pose, wide, [&](Vec3d from, Vec3d to) { return oracle::joseph(volume, kGrid, from, to); });
    int num_missed = 0;
    for (std::size_t i = 0; i < image.size(); ++i)
      if (expected[i] == 0) {
        ++num_missed;
        CHECK(image[i] == 0.0f);
      }
    CHECK(num_missed > 0);
    CHECK(test::relative_l2(image, expected) < 2e-6);
    CHECK(test::max_difference(image, expected) < 2e-5);
  }
}

TEST_CASE("raycast: approaches the integral of the trilinear field where it is smooth", "[raycast]") {
  const Vec3d center{7, -9, 5};
  std::vector<float> volume;
  for (int k = 0; k < kGrid.size_z; ++k)
    for (int j = 0; j < kGrid.size_y; ++j)
      for (int i = 0; i < kGrid.size_x; ++i) {
        const Vec3d d =
            kGrid.origin_mm +
            Vec3d{(i + 0.5) * kGrid.spacing_mm.x, (j + 0.5) * kGrid.spacing_mm.y, (k + 0.5) * kGrid.spacing_mm.z} -
            center;
        volume.push_back(static_cast<float>(0.05 * std::exp(-dot(d, d) / (2 * 4.0 * 4.0))));
      }
  std::vector<Pose> poses = views_of_all_axes();
  poses.push_back(view(0.3, 0.2, -11, 13));
  const Detector detector{31, 27, 5, 4.5};
  for (const Pose& pose : poses) {
    const std::vector<float> image = cast(volume, kGrid, pose, detector);
    const std::vector<double> expected = per_pixel(pose, detector, [&](Vec3d from, Vec3d to) {
      const Vec3d way = to - from;  // the isocentre is at 0.625 of it, the volume within 66 mm of that
      return oracle::ray_sum(volume, kGrid, from + way * 0.57, from + way * 0.68, 0.1);
    });
    CHECK(test::relative_l2(image, expected) < 2e-3);

    // The blob lands where the geometry says.
    double sum = 0, px = 0, py = 0;
    for (std::size_t i = 0; i < image.size(); ++i) {
      const double v = static_cast<double>(image[i]);
      sum += v;
      px += v * (static_cast<double>(i % 31) + 0.5);
      py += v * (static_cast<double>(i / 31) + 0.5);
    }
    const Vec2d expected_px = project_point(pose, detector, center);
    CHECK(px / sum == Approx(expected_px.x).margin(0.05));
    CHECK(py / sum == Approx(expected_px.y).margin(0.05));
  }
}

TEST_CASE("raycast: only what lies between source and detector counts", "[raycast]") {
  const std::vector<float> volume(kGrid.num_voxels(), 0.02f);
  Pose pose = view(0.1, 0.05);
  const std::vector<float> whole = cast(volume, kGrid, pose, kDetector);
  CHECK(whole[whole.size() / 2] > 0.5f);

  // The same ray directions with the detector before the volume, and with the source behind it.
  Pose before = pose;
  before.detector_center_mm = pose.source_mm * 0.2;
  for (const float v : cast(volume, kGrid, before, kDetector)) CHECK(v == 0.0f);
  Pose behind = pose;
  behind.source_mm = pose.source_mm * -0.2;
  for (const float v : cast(volume, kGrid, behind, kDetector)) CHECK(v == 0.0f);

  // Source inside the volume: the oracle counts the layers ahead of it.
  Pose inside = pose;
  inside.source_mm = kGrid.center_mm();
  const std::vector<double> expected =
      per_pixel(inside, kDetector, [&](Vec3d from, Vec3d to) { return oracle::joseph(volume, kGrid, from, to); });
  CHECK(test::relative_l2(cast(volume, kGrid, inside, kDetector), expected) < 2e-6);
}

TEST_CASE("raycast: the same bits for one and two threads", "[raycast]") {
  const std::vector<float> volume = test::random_values(kGrid.num_voxels(), 0.0f, 0.1f, 5);
  CHECK(cast(volume, kGrid, view(0.5, 0.2), kDetector, 1) == cast(volume, kGrid, view(0.5, 0.2), kDetector, 2));
}

TEST_CASE("raycast: CUDA agrees with the CPU", "[raycast][parity]") {
  Context cpu = Context::cpu(1), ctx = test::make_context();
  std::vector<Pose> poses = views_of_all_axes();
  poses.push_back(view(0.78, 0.1, 17, -9));
  poses.push_back(view(0, 0));
  Pose inside = view(0.1, 0.05);
  inside.source_mm = kGrid.center_mm();
  poses.push_back(inside);
  const std::vector<float> volume = test::random_values(kGrid.num_voxels(), -0.05f, 0.1f, 7);
  for (const Detector& detector : {Detector{67, 43, 2.25, 3}, Detector{1, 1, 1, 1}})
    for (const Pose& pose : poses) {
      const std::vector<float> expected = cast(cpu, volume, kGrid, pose, detector);
      const std::vector<float> found = cast(ctx, volume, kGrid, pose, detector);
      CHECK(test::relative_l2(found, expected) < 1e-6);
      CHECK(test::max_difference(found, expected) < 1e-5);
    }
}

TEST_CASE("raycast: one voxel, one pixel, and none", "[raycast]") {
  const VolumeGrid one{1, 1, 1, {2, 2, 2}, {-1, -1, -1}};
  const std::vector<float> central = cast({0.5f}, one, view(0, 0), {1, 1, 1, 1});
  CHECK(central[0] == Approx(0.5 * 2));  // 1 voxel of 2 mm
  // A pixel whose ray passes the centre 0.5 mm aside, a quarter of a voxel.
  const std::vector<float> aside = cast({0.5f}, one, view(0, 0, 0.8), {1, 1, 1, 1});
  CHECK(aside[0] == Approx(0.5 * 2 * 0.75).epsilon(1e-5));

  const VolumeGrid none{0, 5, 5, {1, 1, 1}, {}};
  CHECK(cast({}, none, view(0, 0), {2, 3, 1, 1}) == std::vector<float>(6, 0.0f));
  CHECK(cast({0.5f}, one, view(0, 0), {0, 3, 1, 1}).empty());
}

TEST_CASE("raycast: refuses what its contract excludes", "[raycast]") {
  Context ctx = test::make_context();
  const VolumeGrid grid{2, 2, 2, {1, 1, 1}, {-1, -1, -1}};
  const Detector detector{3, 2, 1, 1};
  const Buffer<float> volume = Buffer<float>::zeros(ctx, 8), short_volume = Buffer<float>::zeros(ctx, 7);
  Buffer<float> image = Buffer<float>::zeros(ctx, 6), short_image = Buffer<float>::zeros(ctx, 5);
  const Pose pose = view(0, 0);
  CHECK_NOTHROW(raycast(ctx, {volume, grid, pose, detector}, image));
  CHECK_THROWS_WITH(raycast(ctx, {short_volume, grid, pose, detector}, image),
                    "raycast: volume: expected 8 elements, found 7");
  CHECK_THROWS_AS(raycast(ctx, {volume, grid, pose, detector}, short_image), InvalidArgument);
  VolumeGrid flat = grid;
  flat.spacing_mm.y = 0;
  CHECK_THROWS_AS(raycast(ctx, {volume, flat, pose, detector}, image), InvalidArgument);
  for (const double lost : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 1e300}) {
    VolumeGrid nowhere = grid;
    nowhere.origin_mm.y = lost;
    CHECK_THROWS_WITH(raycast(ctx, {volume, nowhere, pose, detector}, image), Catch::Contains("origin"));
  }
  VolumeGrid negative = grid;
  negative.size_x = negative.size_y = -2;
  CHECK_THROWS_AS(raycast(ctx, {volume, negative, pose, detector}, image), InvalidArgument);
  Detector no_pitch = detector;
  no_pitch.pitch_v_mm = 0;
  CHECK_THROWS_AS(raycast(ctx, {volume, grid, pose, no_pitch}, image), InvalidArgument);
  Detector negative_detector = detector;
  negative_detector.width_px = -3;
  negative_detector.height_px = -2;
  CHECK_THROWS_AS(raycast(ctx, {volume, grid, pose, negative_detector}, image), InvalidArgument);
  Pose lost = pose;
  lost.detector_center_mm.z = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(raycast(ctx, {volume, grid, lost, detector}, image), InvalidArgument);
}

}  // namespace dsasrgs
