// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/metrics.hpp"
#include "evaluate/marching_cubes.hpp"
#include "support/random_values.hpp"

namespace dsasrgs {
namespace {

template <class F>
std::vector<float> fill(const VolumeGrid& grid, F&& value_at_mm) {
  std::vector<float> volume;
  for (int k = 0; k < grid.size_z; ++k)
    for (int j = 0; j < grid.size_y; ++j)
      for (int i = 0; i < grid.size_x; ++i)
        volume.push_back(static_cast<float>(
            value_at_mm(grid.origin_mm + Vec3d{(i + 0.5) * grid.spacing_mm.x, (j + 0.5) * grid.spacing_mm.y,
                                               (k + 0.5) * grid.spacing_mm.z})));
  return volume;
}

std::vector<float> box(const VolumeGrid& grid, int low, int high) {  // voxels [low, high) along x, all of y and z
  std::vector<float> volume(grid.num_voxels(), 0.0f);
  for (std::size_t i = 0; i < volume.size(); ++i) {
    const int x = static_cast<int>(i) % grid.size_x;
    if (x >= low && x < high) volume[i] = 1.0f;
  }
  return volume;
}

std::vector<float> sphere(const VolumeGrid& grid, Vec3d center_mm, double radius_mm) {
  return fill(grid, [&](Vec3d p) { return 10 + radius_mm - length(p - center_mm); });  // surface at value 10
}

// As in metrics_test.cpp and tests/oracle/ssim_reference.py.
std::vector<float> congruence_values(std::size_t n, std::uint32_t seed) {
  std::vector<float> values(n);
  for (float& v : values) {
    seed = 1664525u * seed + 1013904223u;
    v = static_cast<float>(seed >> 16) / 65536.0f - 0.25f;
  }
  return values;
}

const VolumeGrid kGrid{40, 36, 44, {0.5, 0.5, 0.5}, {-10, -9, -11}};

}  // namespace

TEST_CASE("volume metrics: PSNR and SSIM are scikit-image's by definition", "[metrics]") {
  // Numbers printed by tests/oracle/ssim_reference.py.
  const VolumeGrid grid{11, 10, 9, {1, 1, 1}, {}};
  const std::vector<float> reference = congruence_values(990, 9), other = congruence_values(990, 10);
  std::vector<float> volume(990);
  for (std::size_t i = 0; i < volume.size(); ++i) volume[i] = 0.75f * reference[i] + 0.25f * other[i];
  const VolumeScore score = score_volume(volume, reference, grid, 0.5);
  CHECK(score.psnr_db == Approx(17.512570080046).epsilon(1e-11));
  CHECK(score.ssim == Approx(0.924255414483).epsilon(1e-11));
}

TEST_CASE("volume metrics: identical volumes", "[metrics]") {
  const std::vector<float> volume = sphere(kGrid, {}, 5);
  const VolumeScore score = score_volume(volume, volume, kGrid, 10);
  CHECK(score.psnr_db == std::numeric_limits<double>::infinity());
  CHECK(score.ssim == Approx(1).epsilon(1e-12));
  CHECK(score.dice == 1);
  CHECK(score.chamfer_mm == 0);
  CHECK(score.hd95_mm == 0);
}

TEST_CASE("volume metrics: Dice of known boxes", "[metrics]") {
  const VolumeGrid grid{12, 8, 7, {1, 1, 1}, {}};
  const auto dice = [&](const std::vector<float>& a, const std::vector<float>& b, double threshold) {
    return score_volume(a, b, grid, threshold).dice;
  };
  CHECK(dice(box(grid, 1, 5), box(grid, 3, 9), 0.5) == Approx(2.0 * 2 / (4 + 6)));
  CHECK(dice(box(grid, 1, 5), box(grid, 5, 9), 0.5) == 0);
  CHECK(dice(box(grid, 0, 0), box(grid, 5, 9), 0.5) == 0);
  CHECK(dice(box(grid, 1, 5), box(grid, 3, 9), -1) == 1);          // everything is above
  CHECK(std::isnan(dice(box(grid, 1, 5), box(grid, 3, 9), 1.0)));  // nothing is: 1 is not above 1
}

TEST_CASE("volume metrics: shifted planes and a two-sided slab", "[metrics]") {
  const VolumeGrid grid{24, 8, 9, {0.5, 0.25, 0.75}, {-3, 4, 5}};
  // Value falls by 1 per mm along x from 0 at plane_mm: the vertex lies at the plane exactly.
  const auto plane = [&](double plane_mm) { return fill(grid, [&](Vec3d p) { return 20 - (p.x - plane_mm); }); };
  const VolumeScore score = score_volume(plane(0.3), plane(2.4), grid, 20);
  CHECK(score.chamfer_mm == Approx(2 * 2.1).epsilon(1e-6));
  CHECK(score.hd95_mm == Approx(2.1).epsilon(1e-6));

  // One box face near, one far: distances are not symmetric. Box faces lie between voxels: [1,5) at 0.5 and 4.5 voxels.
  const std::vector<float> near = box(grid, 4, 24), slab = box(grid, 3, 13);
  const VolumeScore one_sided = score_volume(near, slab, grid, 0.5);
  // near → slab: all 0.5 mm (1 voxel). slab → near: half 0.5 mm, half 9 voxels = 4.5 mm; 95th percentile of those 4.5.
  CHECK(one_sided.chamfer_mm == Approx(0.5 + 0.5 * (0.5 + 4.5)).epsilon(1e-6));
  CHECK(one_sided.hd95_mm == Approx(4.5).epsilon(1e-6));
  const VolumeScore swapped = score_volume(slab, near, grid, 0.5);
  CHECK(swapped.chamfer_mm == Approx(one_sided.chamfer_mm).epsilon(1e-12));
  CHECK(swapped.hd95_mm == one_sided.hd95_mm);
}

TEST_CASE("volume metrics: the 95th percentile interpolates between order statistics", "[metrics]") {
  // One vertex per column, 0, 0.04, … 0.76 mm above a plane: all between the same two layers, so no other edge is cut.
  const VolumeGrid grid{20, 1, 8, {1, 1, 1}, {}};
  const auto ramp = [&](double step_mm) {
    return fill(grid, [&](Vec3d p) { return 2 - (p.z - 3.55 - step_mm * std::floor(p.x)); });
  };
  const std::vector<float> flat = ramp(0), rising = ramp(0.04);
  const VolumeScore score = score_volume(rising, flat, grid, 2);
  CHECK(score.chamfer_mm == Approx(2 * 0.04 * 9.5).epsilon(1e-5));
  CHECK(score.hd95_mm == Approx(0.04 * 0.95 * 19).epsilon(1e-5));
}

TEST_CASE("volume metrics: concentric spheres are their radius difference apart", "[metrics]") {
  const VolumeScore score =
      score_volume(sphere(kGrid, {0.1, 0.2, -0.1}, 5), sphere(kGrid, {0.1, 0.2, -0.1}, 7), kGrid, 10);
  CHECK(score.chamfer_mm == Approx(2 * 2).epsilon(0.02));
  CHECK(score.hd95_mm == Approx(2).epsilon(0.02));
  CHECK(score.dice == Approx(2 * 125.0 / (125 + 343)).epsilon(0.01));
}

TEST_CASE("marching cubes: every vertex lies on the sphere and every axis contributes", "[metrics]") {
  const Vec3d center{0.3, -0.2, 0.15};
  const double radius_mm = 6;
  // Quadratic field: linear interpolation misses the surface by at most h²/8 · 2 / |gradient|.
  const std::vector<float> volume = fill(kGrid, [&](Vec3d p) { return 100 - dot(p - center, p - center); });
  const std::vector<Vec3d> vertices = isosurface_vertices(volume, kGrid, 100 - radius_mm * radius_mm);
  double worst_mm = 0;
  for (const Vec3d v : vertices) worst_mm = std::max(worst_mm, std::abs(length(v - center) - radius_mm));
  CHECK(worst_mm < 0.25 / 8 * 2 / (2 * radius_mm) + 1e-5);
  // Lines along x through the sphere's disc of π r² / h² grid lines meet it twice, and so on for y and z.
  const double expected = 3 * 2 * 3.14159265 * radius_mm * radius_mm / 0.25;
  CHECK(static_cast<double>(vertices.size()) == Approx(expected).epsilon(0.03));

  CHECK(isosurface_vertices(volume, kGrid, 1000).empty());
  CHECK(isosurface_vertices(volume, kGrid, -1000).empty());
}

TEST_CASE("marching cubes: one edge, anisotropic spacing, exact position", "[metrics]") {
  const VolumeGrid grid{1, 1, 2, {1, 2, 4}, {10, 20, 30}};
  const std::vector<float> volume = {3, 1};
  const std::vector<Vec3d> vertices = isosurface_vertices(volume, grid, 2.5);
  REQUIRE(vertices.size() == 1);
  CHECK(vertices[0] == Vec3d{10.5, 21, 30 + 2 + 0.25 * 4});
  CHECK(isosurface_vertices(volume, grid, 3).empty());  // 3 is not above 3
  const std::vector<Vec3d> at_end = isosurface_vertices(volume, grid, 1);
  REQUIRE(at_end.size() == 1);  // but 1 is not above 1 and 3 is
  CHECK(at_end[0] == Vec3d{10.5, 21, 36});
}

TEST_CASE("volume metrics: no surface, thin volumes", "[metrics]") {
  const VolumeGrid grid{12, 8, 6, {1, 1, 1}, {}};
  const std::vector<float> some = box(grid, 3, 6), none = box(grid, 0, 0);
  const VolumeScore score = score_volume(none, some, grid, 0.5);
  CHECK(std::isnan(score.chamfer_mm));
  CHECK(std::isnan(score.hd95_mm));
  CHECK(std::isnan(score.ssim));  // 6 slices hold no 7³ window
  CHECK(score.psnr_db == Approx(10 * std::log10(12.0 / 3)));
}

TEST_CASE("volume metrics: refuses what the contract excludes", "[metrics]") {
  const VolumeGrid grid{5, 4, 3, {1, 1, 1}, {}};
  std::vector<float> good(60, 0.5f), bad = good, wrong(59, 0.5f), negative(60, -0.5f);
  bad[2 * 20 + 1 * 5 + 3] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(score_volume(bad, good, grid, 0.1), Catch::Contains(" volume: voxel (x 3, y 1, z 2)"));
  CHECK_THROWS_WITH(score_volume(good, bad, grid, 0.1), Catch::Contains(" reference: voxel (x 3, y 1, z 2)"));
  CHECK_THROWS_WITH(score_volume(good, wrong, grid, 0.1), "score_volume: reference: expected 60 elements, found 59");
  CHECK_THROWS_AS(score_volume(wrong, good, grid, 0.1), InvalidArgument);
  CHECK_THROWS_AS(score_volume(good, negative, grid, 0.1), InvalidArgument);
  CHECK_THROWS_AS(score_volume(good, good, grid, std::nan("")), InvalidArgument);
  VolumeGrid flat = grid;
  flat.spacing_mm.x = 0;
  CHECK_THROWS_AS(score_volume(good, good, flat, 0.1), InvalidArgument);
  VolumeGrid empty{0, 0, 0, {1, 1, 1}, {}};
  CHECK_THROWS_AS(score_volume({}, {}, empty, 0.1), InvalidArgument);
}

TEST_CASE("score_volume: says how far it is, slice by slice, and stops wherever it is told to", "[metrics]") {
  const std::vector<float> a = sphere(kGrid, {0.1, 0.2, -0.1}, 5), b = sphere(kGrid, {0.1, 0.2, -0.1}, 7);
  std::vector<std::size_t> told;
  const VolumeScore whole = score_volume(a, b, kGrid, 10, [&](const ProgressReport& report) {
    CHECK(std::string(report.stage) == "scoring the volume");
    CHECK(report.total == 7 * static_cast<std::size_t>(kGrid.size_z));
    told.push_back(report.done);
    return true;
  });
  CHECK(whole.chamfer_mm == score_volume(a, b, kGrid, 10).chamfer_mm);
  REQUIRE(told.size() == 7 * static_cast<std::size_t>(kGrid.size_z) + 1);
  for (std::size_t i = 0; i < told.size(); ++i) CHECK(told[i] == i);
  for (std::size_t stop = 0; stop < told.size(); ++stop) {
    const auto until = [&](const ProgressReport& report) { return report.done < stop; };
    CHECK_THROWS_AS(score_volume(a, b, kGrid, 10, until), Cancelled);
  }
  CHECK_THROWS_WITH(score_volume(a, b, kGrid, 10, [](const ProgressReport&) { return false; }),
                    Catch::StartsWith("scoring the volume: stopped after 0 of "));
}

}  // namespace dsasrgs
