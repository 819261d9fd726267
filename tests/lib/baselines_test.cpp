// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/baselines.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numbers>
#include <span>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/metrics.hpp"
#include "raycast/raycast.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"

namespace dsasrgs {
namespace {

constexpr double kDegree = std::numbers::pi / 180;

// Views at uneven angles and times that run differently; every pixel of view v holds value[v] + pixel number.
Acquisition uneven_sweep(const std::vector<double>& angles_deg, const std::vector<float>& values) {
  Acquisition a;
  a.detector = {3, 2, 1, 1};
  a.volume = {4, 4, 4, {1, 1, 1}, {-2, -2, -2}};
  for (std::size_t v = 0; v < angles_deg.size(); ++v) {
    CArmView view;
    view.primary_rad = angles_deg[v] * kDegree;
    a.poses.push_back(carm_pose(view, static_cast<double>(v)));
    for (int i = 0; i < 6; ++i) a.projections.push_back(values[v] + static_cast<float>(i));
  }
  return a;
}

std::vector<float> image_of(float value) { return {value, value + 1, value + 2, value + 3, value + 4, value + 5}; }

}  // namespace

TEST_CASE("baselines: views are interpolated by angle and repeated outside the training views", "[baselines]") {
  Acquisition a = uneven_sweep({0, 10, 14, 22, 30, 40}, {-9, 1, 5, 13, -7, 50});
  a.train_views = {1, 3, 5};
  CHECK(test::max_difference(interpolate_views(a, 2), image_of(5)) < 1e-5);  // 4/12 of the way from 1 to 13
  CHECK(test::max_difference(interpolate_views(a, 4), image_of(13 + 37 * 8.0f / 18)) < 1e-5);
  CHECK(interpolate_views(a, 3) == image_of(13));
  CHECK(interpolate_views(a, 0) == image_of(1));
  const std::vector<float> between = interpolate_views(a, 2);
  a.train_views = {5, 1, 3};
  CHECK(interpolate_views(a, 2) == between);
  a.train_views = {1, 3};
  CHECK(interpolate_views(a, 5) == image_of(13));
  CHECK(interpolate_views(a, 4) == image_of(13));
}

TEST_CASE("baselines: where the source does not move, views are interpolated by time", "[baselines]") {
  Acquisition a = uneven_sweep({20, 20, 20, 20}, {2, 0, 0, 8});
  a.train_views = {0, 3};
  CHECK(test::max_difference(interpolate_views(a, 1), image_of(4)) < 1e-5);
  a.poses[1].time_s = 1.5;
  CHECK(test::max_difference(interpolate_views(a, 1), image_of(5)) < 1e-5);
  for (Pose& pose : a.poses) pose.time_s = 0;
  CHECK(test::max_difference(interpolate_views(a, 1), image_of(5)) < 1e-5);
}

TEST_CASE("baselines: a pixel that only one neighbour saw is taken from it", "[baselines]") {
  Acquisition a = uneven_sweep({0, 5, 10}, {0, 0, 8});
  a.train_views = {0, 2};
  a.valid.assign(18, 1);
  a.valid[2] = 0;       // view 0, pixel 2
  a.valid[12 + 4] = 0;  // view 2, pixel 4
  const std::vector<float> expected = {4, 5, 10, 7, 4, 9};
  CHECK(test::max_difference(interpolate_views(a, 1), expected) < 1e-5);
}

TEST_CASE("baselines: views that are not there are refused", "[baselines]") {
  Acquisition a = uneven_sweep({0, 5, 10}, {0, 0, 8});
  CHECK_THROWS_AS(interpolate_views(a, 1), InvalidArgument);
  a.train_views = {0, 2};
  CHECK_NOTHROW(interpolate_views(a, 1));
  CHECK_THROWS_WITH(interpolate_views(a, 3), "interpolate_views: view: expected 0 to 2, found 3");
  CHECK_THROWS_AS(interpolate_views(a, -1), InvalidArgument);
  a.train_views = {};
  a.test_views = {1};
  CHECK_NOTHROW(interpolate_views(a, 1));
  a.train_views = {0, 7};
  CHECK_THROWS_AS(interpolate_views(a, 1), InvalidArgument);
  Context ctx = test::make_context();
  CHECK_THROWS_AS(fdk_volume(ctx, a, {0, 3}, a.volume), InvalidArgument);
}

TEST_CASE("baselines: numbers that are not finite are refused by their place", "[baselines]") {
  Context ctx = test::make_context();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Acquisition a = uneven_sweep({0, 5, 10}, {0, 0, 8});
  a.train_views = {0, 2};
  a.projections[2 * 6 + 4] = nan;
  CHECK_THROWS_WITH(interpolate_views(a, 1),
                    Catch::Contains("interpolate_views: projection of view 2: pixel (row 1, column 1): expected"));
  CHECK_THROWS_WITH(fdk_volume(ctx, a, {0, 2}, a.volume),
                    Catch::Contains("fdk_volume: projection of view 2: pixel (row 1, column 1): expected"));
  a.valid.assign(6, 1);
  a.valid[4] = 0;  // what is not valid may be anything
  CHECK_NOTHROW(interpolate_views(a, 1));
  CHECK_NOTHROW(fdk_volume(ctx, a, {0, 2}, a.volume));

  std::vector<float> volume(64, 0.1f);
  CHECK_NOTHROW(reproject_volume(ctx, volume, a.volume, a.poses, a.detector));
  volume[16 + 8 + 3] = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH(reproject_volume(ctx, volume, a.volume, a.poses, a.detector),
                    Catch::Contains("reproject_volume: volume: voxel (x 3, y 2, z 1): expected a finite number"));
  volume.pop_back();
  CHECK_THROWS_AS(reproject_volume(ctx, volume, a.volume, {}, a.detector), InvalidArgument);
}

TEST_CASE("baselines: reprojections are the raycaster's, view by view", "[baselines]") {
  Context ctx = test::make_context();
  const VolumeGrid grid{9, 8, 7, {2, 2, 2}, {-9, -8, -7}};
  const Detector detector{11, 6, 3, 3};
  const std::vector<float> volume = test::random_values(grid.num_voxels(), 0.0f, 0.1f, 4);
  CircularSweep sweep;
  sweep.num_views = 3;
  const std::vector<Pose> poses = circular_poses(sweep);
  const std::vector<float> images = reproject_volume(ctx, volume, grid, poses, detector);
  REQUIRE(images.size() == 3 * 66);
  const Buffer<float> device = Buffer<float>::from_host(ctx, volume);
  Buffer<float> image(ctx, 66);
  for (std::size_t v = 0; v < 3; ++v) {
    raycast(ctx, {device, grid, poses[v], detector}, image);
    CHECK(image.to_host(ctx) == std::vector<float>(images.begin() + static_cast<long>(v) * 66,
                                                   images.begin() + static_cast<long>(v + 1) * 66));
  }
  CHECK(*std::max_element(images.begin(), images.end()) > 0.1f);
  CHECK_THROWS_AS(reproject_volume(ctx, std::span(volume).first(9), grid, poses, detector), InvalidArgument);
}

TEST_CASE("baselines: FDK of a ball's projections is the ball, and reprojects onto them", "[baselines]") {
  Context ctx = test::make_context();
  const VolumeGrid grid{40, 40, 40, {1, 1, 1}, {-20, -20, -20}};
  const Vec3d center{3, -4, 2};
  std::vector<float> ball;
  for (int k = 0; k < 40; ++k)
    for (int j = 0; j < 40; ++j)
      for (int i = 0; i < 40; ++i) {
        const double r = length(grid.origin_mm + Vec3d{i + 0.5, j + 0.5, k + 0.5} - center);
        ball.push_back(static_cast<float>(0.05 * std::clamp(8.5 - r, 0.0, 1.0)));
      }
  Acquisition a;
  a.detector = {64, 64, 1.6, 1.6};
  a.volume = grid;
  CircularSweep sweep;
  sweep.num_views = 90;
  sweep.arc_rad = 356 * kDegree;
  a.poses = circular_poses(sweep);
  a.projections = reproject_volume(ctx, ball, grid, a.poses, a.detector);
  std::vector<int> views(90);
  for (int v = 0; v < 90; ++v) views[static_cast<std::size_t>(v)] = v;

  const std::vector<float> volume = fdk_volume(ctx, a, views, grid);
  REQUIRE(volume.size() == ball.size());
  CHECK(*std::min_element(volume.begin(), volume.end()) == 0.0f);
  const std::size_t at_center = static_cast<std::size_t>((22 * 40 + 16) * 40 + 23);
  CHECK(static_cast<double>(volume[at_center]) == Approx(0.05).epsilon(0.05));
  CHECK(score_volume(volume, ball, grid, 0.025).dice > 0.95);
  const std::vector<float> again = reproject_volume(ctx, volume, grid, a.poses, a.detector);
  CHECK(test::relative_l2(again, a.projections) < 0.1);

  // Fewer views than all, and pixels that do not count.
  const std::vector<float> half = fdk_volume(ctx, a, {0, 15, 30, 45, 60, 75}, grid);
  CHECK(test::relative_l2(half, volume) > 0.05);
  a.valid.assign(a.detector.num_pixels(), 0);
  const std::vector<float> blind = fdk_volume(ctx, a, views, grid);
  CHECK(std::all_of(blind.begin(), blind.end(), [](float v) { return v == 0.0f; }));
}

TEST_CASE("baselines: interpolating the real head sweep scores what is known of it", "[baselines][real]") {
  const std::filesystem::path file = DSASRGS_SHARED_DATA "/rotational-head/acquisition.h5";
  const Acquisition a = read_acquisition(file);
  REQUIRE(a.test_views.size() == 84);
  const double range = fixed_range(a.projections, a.valid);
  CHECK(range == Approx(1.54).epsilon(1e-6));
  double sum_psnr_db = 0, sum_correlation = 0, worst_db = std::numeric_limits<double>::infinity(), best_db = 0;
  for (const int view : a.test_views) {
    const std::vector<float> image = interpolate_views(a, view);
    const ImagePair pair{image, a.projection(view), a.valid_pixels(view), a.detector.width_px, a.detector.height_px};
    const double psnr_db = score_fixed(pair, range).psnr_db;
    sum_psnr_db += psnr_db;
    worst_db = std::min(worst_db, psnr_db);
    best_db = std::max(best_db, psnr_db);
    sum_correlation += highpass_correlation(pair, 4);
  }
  // The same four numbers in numpy (scipy's gaussian_filter over valid pixels).
  CHECK(sum_psnr_db / 84 == Approx(35.14).margin(0.005));
  CHECK(worst_db == Approx(24.00).margin(0.005));
  CHECK(best_db == Approx(42.84).margin(0.005));
  CHECK(sum_correlation / 84 == Approx(0.9120).margin(5e-5));
}

}  // namespace dsasrgs
