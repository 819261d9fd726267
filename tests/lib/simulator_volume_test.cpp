// SPDX-License-Identifier: Apache-2.0
// Sweeps over vessels that are voxels of a volume.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "dsasrgs/error.hpp"
#include "dsasrgs/simulator.hpp"
#include "raycast/raycast.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/small_sweep.hpp"

using namespace dsasrgs;
using test::mean;
using test::small_sweep;

TEST_CASE("simulate_volume: contrast climbs from the lowest layer of the largest vessel", "[simulate_volume]") {
  Context ctx = test::make_context();
  // A column with a bend, 5 voxels up, 6 along y, 8 up; and a part apart from it.
  Volume volume;
  volume.grid = {10, 14, 18, {2, 2, 2}, {-10, -14, -18}};
  volume.values.assign(volume.grid.num_voxels(), 0.1f);
  const auto at = [](int x, int y, int z) { return static_cast<std::size_t>((z * 14 + y) * 10 + x); };
  for (int z = 2; z < 7; ++z) volume.values[at(4, 3, z)] = 2;
  for (int y = 4; y < 10; ++y) volume.values[at(4, y, 6)] = 2;
  for (int z = 7; z < 15; ++z) volume.values[at(4, 9, z)] = 1;
  volume.values[at(8, 3, 4)] = 1;
  volume.values[at(8, 3, 5)] = 1;

  SimulationOptions options = small_sweep();
  options.volume = volume.grid;
  options.head_background = false;
  options.samples_per_pixel = 1;
  ContrastOptions contrast;
  contrast.velocity_mm_per_s = 20;
  const Simulation s = simulate_volume(ctx, volume, 0.5, contrast, options);
  const auto& truth = s.acquisition.reference_volume->values;
  const double diagonal = 2 * std::sqrt(2.0);
  // Shortest paths cut the two corners.
  const double along_y = 3 * 2 + diagonal + 4 * 2, top = along_y + diagonal + 7 * 2;
  const ContrastCurves curves(std::vector<double>{0, 4 * 2 / 20.0, along_y / 20, top / 20, std::sqrt(64.0 + 16) / 20,
                                                  (std::sqrt(64.0 + 16) + 2) / 20},
                              contrast);
  const auto mean_curve = [&](std::size_t node) {
    double sum = 0;
    for (const Pose& pose : s.acquisition.poses) sum += curves.attenuation(node, pose.time_s) / 3;
    return sum;
  };
  CHECK(truth[at(4, 3, 2)] == Approx(mean_curve(0)).epsilon(1e-3));
  CHECK(truth[at(4, 3, 6)] == Approx(mean_curve(1)).epsilon(1e-3));
  CHECK(truth[at(4, 8, 6)] == Approx(mean_curve(2)).epsilon(1e-3));
  CHECK(truth[at(4, 9, 14)] == Approx(mean_curve(3) / 2).epsilon(1e-3));  // half the largest value
  CHECK(truth[at(8, 3, 4)] == Approx(mean_curve(4) / 2).epsilon(1e-3));   // starts at its straight distance
  CHECK(truth[at(8, 3, 5)] == Approx(mean_curve(5) / 2).epsilon(1e-3));
  CHECK(truth[at(5, 3, 2)] == 0);

  Context one = test::make_context(1);
  CHECK((simulate_volume(one, volume, 0.5, contrast, options).acquisition.projections == s.acquisition.projections));
  // Time mean of projections = projection of the time mean.
  options.detector = {64, 64, 1.2, 1.2};
  options.sweep.arc_rad = 0;
  const Simulation still = simulate_volume(ctx, volume, 0.5, contrast, options);
  Buffer<float> image(ctx, options.detector.num_pixels());
  raycast(ctx, {Buffer<float>::from_host(ctx, truth), volume.grid, still.acquisition.poses[0], options.detector},
          image);
  std::vector<double> mean_image(options.detector.num_pixels());
  for (std::size_t i = 0; i < still.acquisition.projections.size(); ++i)
    mean_image[i % mean_image.size()] += static_cast<double>(still.acquisition.projections[i]) / 3;
  CHECK(test::relative_l2(image.to_host(ctx), mean_image) < 1e-4);
}

TEST_CASE("simulate_volume: the reference volume keeps its mass on another grid", "[simulate_volume]") {
  Context ctx = test::make_context();
  Volume volume;
  volume.grid = {24, 24, 24, {1, 1, 1}, {-12, -12, -12}};
  volume.values.assign(volume.grid.num_voxels(), 0.0f);
  for (int z = 6; z < 18; ++z)
    for (int y = 8; y < 13; ++y)
      for (int x = 9; x < 15; ++x) volume.values[static_cast<std::size_t>((z * 24 + y) * 24 + x)] = 3;
  SimulationOptions options = small_sweep();
  const auto mass = [&](const VolumeGrid& grid) {
    options.volume = grid;
    const Simulation s = simulate_volume(ctx, volume, 1, {}, options);
    return mean(s.acquisition.reference_volume->values) * grid.extent_mm().x * grid.extent_mm().y * grid.extent_mm().z;
  };
  const double same = mass(volume.grid);
  CHECK(same > 0);
  CHECK(mass({10, 8, 9, {3, 4, 3}, {-15, -16, -14}}) == Approx(same).epsilon(1e-5));
  CHECK(mass({60, 60, 60, {0.5, 0.5, 0.5}, {-15, -15, -15}}) == Approx(same).epsilon(1e-5));
}

TEST_CASE("simulate_volume: a volume a thousand times finer than the grid is averaged, not sampled for ever",
          "[simulate_volume]") {
  Context ctx = test::make_context();
  Volume volume;
  volume.grid = {24, 24, 24, {1e-6, 1e-6, 1e-6}, {-12e-6, -12e-6, -12e-6}};
  volume.values.assign(volume.grid.num_voxels(), 3.0f);
  SimulationOptions options = small_sweep();
  options.volume = {
      3, 3, 3, {8, 8, 8}, {-12, -12, -12}};  // 8e6 points along a voxel's side: int does not hold them all
  const Simulation s = simulate_volume(ctx, volume, 1, {}, options);
  double sum = 0;
  for (const float v : s.acquisition.reference_volume->values) sum += static_cast<double>(v);
  CHECK(sum > 0);
  CHECK(s.acquisition.reference_volume->values[13] == Approx(sum));
  ContrastOptions slow;
  slow.velocity_mm_per_s = 1e-12;
  CHECK_THROWS_WITH(simulate_volume(ctx, volume, 1, slow, options),
                    Catch::Contains("velocity_mm_per_s: expected at least"));
}

TEST_CASE("stand_volume_up: every voxel keeps its value at the turned position", "[simulate_volume]") {
  Volume volume{{2, 3, 4, {1, 2, 3}, {5, -7, 11}}, std::vector<float>(24), 1};
  std::iota(volume.values.begin(), volume.values.end(), 0.0f);
  const Volume turned = stand_volume_up(volume);
  CHECK(turned.grid.size_y == 4);
  CHECK(turned.grid.size_z == 3);
  const auto center = [](const VolumeGrid& g, int x, int y, int z) {
    return g.origin_mm + Vec3d{(x + 0.5) * g.spacing_mm.x, (y + 0.5) * g.spacing_mm.y, (z + 0.5) * g.spacing_mm.z};
  };
  for (int z = 0; z < 4; ++z)
    for (int y = 0; y < 3; ++y)
      for (int x = 0; x < 2; ++x) {
        const Vec3d p = center(volume.grid, x, y, z), q = center(turned.grid, x, 3 - z, y);
        CHECK(length(q - Vec3d{p.x, -p.z, p.y}) < 1e-12);
        CHECK(turned.values[static_cast<std::size_t>((y * 4 + 3 - z) * 2 + x)] ==
              volume.values[static_cast<std::size_t>((z * 3 + y) * 2 + x)]);
      }
  volume.values.pop_back();
  CHECK_THROWS_AS(stand_volume_up(volume), InvalidArgument);
}

TEST_CASE("simulate_volume: wrong volumes are refused", "[simulate_volume]") {
  Context ctx = test::make_context();
  Volume volume{{4, 4, 4, {1, 1, 1}, {}}, std::vector<float>(64, 1.0f), 1};
  const SimulationOptions options = small_sweep();
  CHECK_THROWS_AS(simulate_volume(ctx, volume, 2, {}, options), InvalidArgument);
  CHECK_THROWS_AS(simulate_volume(ctx, volume, -1, {}, options), InvalidArgument);
  volume.frames = 2;
  CHECK_THROWS_AS(simulate_volume(ctx, volume, 0.5, {}, options), InvalidArgument);
  volume.frames = 1;
  volume.values[5] = NAN;
  CHECK_THROWS_AS(simulate_volume(ctx, volume, 0.5, {}, options), InvalidArgument);
  volume.values.resize(63);
  CHECK_THROWS_AS(simulate_volume(ctx, volume, 0.5, {}, options), InvalidArgument);
}
