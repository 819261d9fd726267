// SPDX-License-Identifier: Apache-2.0
#include "fdk/fdk.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "dsasrgs/error.hpp"
#include "fdk/fdk_arc.hpp"
#include "fdk/fdk_math.hpp"
#include "oracle/fdk_oracle.hpp"
#include "support/context.hpp"
#include "support/gradient.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;
using test::Ellipsoid;

namespace {

constexpr double kDegree = std::numbers::pi / 180;

/// 120 × 100 mm at the isocentre.
const Detector kDetector{96, 80, 2.0, 2.0};
/// 43 is no multiple of any vector.
const VolumeGrid kGrid{43, 48, 40, {2, 2, 2}, {-43, -48, -40}};
const Ellipsoid kHead{{0, 0, 0}, {32, 26, 22}, 0.02};

std::vector<float> reconstruct(Context& ctx, const std::vector<float>& projections, const std::vector<Pose>& poses,
                               const Detector& detector, const VolumeGrid& grid) {
  const auto in = Buffer<float>::from_host(ctx, projections);
  auto out = Buffer<float>::from_host(ctx, std::vector<float>(grid.num_voxels(), 99.0f));
  fdk_reconstruct(ctx, {in, poses, detector, grid}, out);
  return out.to_host(ctx);
}

std::vector<float> reconstruct(const std::vector<float>& projections, const std::vector<Pose>& poses,
                               const Detector& detector, const VolumeGrid& grid, int threads = 2) {
  Context ctx = test::make_context(threads);
  return reconstruct(ctx, projections, poses, detector, grid);
}

std::vector<float> reconstruct(const std::vector<Ellipsoid>& phantom, const std::vector<Pose>& poses,
                               const VolumeGrid& grid = kGrid) {
  return reconstruct(test::project_ellipsoids(phantom, poses, kDetector), poses, kDetector, grid);
}

Vec3d voxel_center(const VolumeGrid& g, int x, int y, int z) {
  return g.origin_mm + Vec3d{(x + 0.5) * g.spacing_mm.x, (y + 0.5) * g.spacing_mm.y, (z + 0.5) * g.spacing_mm.z};
}

struct Quality {
  double mean = 0;  ///< of the inner 80 % of the ellipsoid, as a fraction of the truth
  double rms = 0;   ///< of the error there, as a fraction of the truth
};

Quality quality(const std::vector<float>& volume, const Ellipsoid& e = kHead, const VolumeGrid& g = kGrid) {
  double sum = 0, squares = 0;
  int count = 0;
  for (int z = 0, i = 0; z < g.size_z; ++z)
    for (int y = 0; y < g.size_y; ++y)
      for (int x = 0; x < g.size_x; ++x, ++i)
        if (e.contains(voxel_center(g, x, y, z), 0.8)) {
          const double f = static_cast<double>(volume[i]) / e.attenuation_per_mm;
          sum += f;
          squares += (f - 1) * (f - 1);
          ++count;
        }
  return {sum / count, std::sqrt(squares / count)};
}

std::vector<Pose> sweep(int num_views, double arc_deg, CArmView view = {}, double first_deg = 17) {
  CircularSweep s;
  s.num_views = num_views;
  s.arc_rad = arc_deg * kDegree;
  s.first_rad = first_deg * kDegree;
  s.view = view;
  return circular_poses(s);
}

/// 360° without the repeated last view.
std::vector<Pose> full_turn(int num_views, CArmView view = {}) {
  return sweep(num_views, 360.0 * (num_views - 1) / num_views, view, -180);
}

}  // namespace

TEST_CASE("fdk: Parker weights of opposite rays add to one and vanish at the ends", "[fdk]") {
  const double pi = std::numbers::pi;
  const auto r = test::random_values<double>(400, 0, 1, 3);
  for (std::size_t i = 0; i + 1 < r.size(); i += 2) {
    const double delta = (5 + 60 * r[i]) * kDegree, gamma = (2 * r[i + 1] - 1) * delta * 0.99;
    for (const double f : {0.01, 0.2, 0.6, 0.97}) {
      const double beta = f * 2 * (delta - gamma);  // from here on the opposite ray lies within the arc too
      const double sum = parker_weight(beta, gamma, delta) + parker_weight(beta + pi + 2 * gamma, -gamma, delta);
      CHECK(sum == Approx(1).epsilon(1e-12));
    }
    CHECK(parker_weight(0.0, gamma, delta) == 0);
    CHECK(parker_weight(pi + 2 * delta, gamma, delta) == Approx(0).margin(1e-12));
    CHECK(parker_weight(0.5 * (2 * (delta - gamma) + pi - 2 * gamma), gamma, delta) == 1);
  }
}

TEST_CASE("fdk: half-fan weights of a ray's two measurements add to two", "[fdk]") {
  for (const double side : {-1.0, 1.0}) {
    for (const double overlap : {0.02, 0.1})
      for (double gamma = 0; gamma < 0.2; gamma += 0.003) {
        CHECK(half_fan_weight(gamma, side, overlap) + half_fan_weight(-gamma, side, overlap) ==
              Approx(2).epsilon(1e-12));
        if (gamma <= overlap / 2) CHECK(half_fan_weight(gamma, side, overlap) == 1);
        if (gamma >= overlap) CHECK(half_fan_weight(gamma * side, side, overlap) == 2);
      }
  }
}

TEST_CASE("fdk: the arc is found from the poses, in any order", "[fdk]") {
  CArmView view;
  view.secondary_rad = 10 * kDegree;
  auto poses = sweep(21, 200, view);
  std::reverse(poses.begin() + 3, poses.end());
  const SourceArc arc = fit_source_arc(poses);
  CHECK(std::abs(arc.axis.z) == Approx(1).epsilon(1e-12));
  CHECK(arc.point_on_axis_mm.x == Approx(0).margin(1e-6));
  CHECK(arc.point_on_axis_mm.z == Approx(750 * std::sin(view.secondary_rad)));
  CHECK_FALSE(arc.full_turn);
  CHECK(arc.span_rad == Approx(200 * kDegree));
  CHECK(arc.views[0].radius_mm == Approx(750 * std::cos(view.secondary_rad)));
  double shares = 0;
  for (const ArcView& v : arc.views) shares += v.share_rad;
  CHECK(shares == Approx(arc.span_rad));
  CHECK(arc.views[5].share_rad == Approx(10 * kDegree));
  CHECK(arc.views[0].share_rad == Approx(5 * kDegree));
  // Angles grow about the fitted axis, whichever way that points.
  CHECK(arc.views[0].angle_rad == Approx(arc.axis.z > 0 ? 0.0 : 200 * kDegree).margin(1e-9));

  CHECK(fit_source_arc(full_turn(12)).full_turn);
  CHECK(fit_source_arc(full_turn(12)).span_rad == Approx(360 * kDegree));
  // Two views define no plane; the detectors' rows do.
  const SourceArc two = fit_source_arc(sweep(2, 90, view));
  CHECK(std::abs(two.axis.z) == Approx(1).epsilon(1e-9));
  CHECK(two.span_rad == Approx(90 * kDegree));
}

TEST_CASE("fdk: a uniform ellipsoid has its attenuation in 1/mm", "[fdk]") {
  SECTION("full turn") {
    const Quality q = quality(reconstruct({kHead}, full_turn(180)));
    CHECK(q.mean == Approx(1).margin(0.004));
    CHECK(q.rms < 0.004);
  }
  SECTION("short scan with Parker weights") {
    const Quality q = quality(reconstruct({kHead}, sweep(120, 200)));
    CHECK(q.mean == Approx(1).margin(0.004));
    CHECK(q.rms < 0.004);
  }
  SECTION("an arc much longer than needed") {
    const Quality q = quality(reconstruct({kHead}, sweep(180, 300)));
    CHECK(q.mean == Approx(1).margin(0.004));
    CHECK(q.rms < 0.004);
  }
  SECTION("detector offset, full turn and short scan") {
    CArmView view;
    view.offset_u_mm = 21;
    view.offset_v_mm = -9;
    CHECK(quality(reconstruct({kHead}, full_turn(180, view))).mean == Approx(1).margin(0.004));
    const Quality q = quality(reconstruct({kHead}, sweep(126, 210, view)));
    CHECK(q.mean == Approx(1).margin(0.004));
    CHECK(q.rms < 0.004);
  }
  SECTION("half fan: a detector that sees little more than one side of the axis, either one") {
    for (const double offset : {80.0, -80.0}) {
      CArmView view;
      view.offset_u_mm = offset;  // 16 mm of the shorter side are left; the ellipsoid's shadow reaches 51 mm
      const auto poses = full_turn(180, view);
      const Quality q = quality(reconstruct({kHead}, poses));
      CHECK(q.mean == Approx(1).margin(0.004));
      CHECK(q.rms < 0.006);
    }
  }
  SECTION("secondary angle of 10 degrees, full turn and short scan") {
    CArmView view;
    view.secondary_rad = 10 * kDegree;
    // No view sees frequencies within 10° of the axis, which costs a flat object 3 % and a tall one little.
    CHECK(quality(reconstruct({kHead}, full_turn(180, view))).mean == Approx(0.974).margin(0.006));
    CHECK(quality(reconstruct({kHead}, sweep(120, 200, view))).mean == Approx(0.974).margin(0.006));
    const Ellipsoid tall{{0, 0, 0}, {14, 14, 34}, 0.02};
    CHECK(quality(reconstruct({tall}, full_turn(180, view)), tall).mean == Approx(1).margin(0.007));
    CHECK(quality(reconstruct({tall}, sweep(120, 200, view)), tall).mean == Approx(1).margin(0.007));
  }
  SECTION("uneven angular step") {
    const auto jitter = test::random_values<double>(180, -0.45, 0.45, 5);
    std::vector<Pose> poses;
    for (int i = 0; i < 180; ++i) {
      CArmView view;
      // A step of 1.1° on average, growing along the arc from about half to one and a half times that.
      const double f = i / 179.0;
      view.primary_rad = (200 * (0.5 * f + 0.5 * f * f) + jitter[i] * 0.5) * kDegree;
      poses.push_back(carm_pose(view, 0));
    }
    const Quality q = quality(reconstruct({kHead}, poses));
    CHECK(q.mean == Approx(1).margin(0.004));
    CHECK(q.rms < 0.004);
  }
  SECTION("30 views") {
    CHECK(quality(reconstruct({kHead}, full_turn(30))).mean == Approx(1).margin(0.01));
    CHECK(quality(reconstruct({kHead}, sweep(30, 200))).mean == Approx(1).margin(0.01));
  }
}

TEST_CASE("fdk: a small sphere is at its true place", "[fdk]") {
  const Ellipsoid sphere{{13, -21, 9}, {4, 4, 4}, 0.05};
  CArmView tilted;
  tilted.secondary_rad = 10 * kDegree;
  tilted.offset_u_mm = 10;
  const auto poses = GENERATE_COPY(full_turn(60), sweep(60, 200), sweep(60, -200), sweep(60, 200, tilted));
  const auto volume = reconstruct({sphere}, poses);
  Vec3d centroid{};
  double mass = 0;
  for (int z = 0, i = 0; z < kGrid.size_z; ++z)
    for (int y = 0; y < kGrid.size_y; ++y)
      for (int x = 0; x < kGrid.size_x; ++x, ++i)
        if (volume[i] > 0.02f) {
          centroid += voxel_center(kGrid, x, y, z) * static_cast<double>(volume[i]);
          mass += static_cast<double>(volume[i]);
        }
  REQUIRE(mass > 0);
  CHECK(length(centroid / mass - sphere.center_mm) < 0.3);  // half a voxel is 1 mm
}

TEST_CASE("fdk: a trajectory about another axis gives the turned volume", "[fdk]") {
  // Axes permuted: the world's z becomes x, x becomes y, y becomes z; the centre of rotation is moved as well.
  const auto turn = [](Vec3d v) { return Vec3d{v.z, v.x, v.y}; };
  const Vec3d shift{5, -3, 8};
  auto poses = sweep(90, 200);
  for (Pose& p : poses)
    p = {turn(p.source_mm) + shift, turn(p.detector_center_mm) + shift, turn(p.detector_u), turn(p.detector_v),
         p.time_s};
  const Ellipsoid turned{turn(kHead.center_mm) + shift, turn(kHead.semi_axes_mm), kHead.attenuation_per_mm};
  VolumeGrid grid = kGrid;
  grid.origin_mm = grid.origin_mm + shift;
  const Quality q = quality(reconstruct({turned}, poses, grid), turned, grid);
  CHECK(q.mean == Approx(1).margin(0.004));
  CHECK(q.rms < 0.004);
}

TEST_CASE("fdk: resolution of the grid and of the detector do not change the scale", "[fdk]") {
  const auto poses = sweep(100, 200);
  const Detector fine{131, 67, 1.4, 2.3};  // odd height: the last row has no partner in its transform
  const VolumeGrid coarse{20, 22, 9, {4, 4, 5}, {-40, -44, -22.5}};
  const auto volume = reconstruct(test::project_ellipsoids({kHead}, poses, fine), poses, fine, coarse);
  CHECK(quality(volume, kHead, coarse).mean == Approx(1).margin(0.004));
}

TEST_CASE("fdk: a view contributes nothing outside its detector", "[fdk]") {
  const auto poses = full_turn(40);
  VolumeGrid far = kGrid;
  far.origin_mm.z = 120;  // above the cone of every view
  const auto volume = reconstruct({kHead}, poses, far);
  CHECK(test::max_difference(volume, std::vector<float>(volume.size(), 0.0f)) == 0);
}

TEST_CASE("fdk: same bits for 1 and 2 threads, more views than a batch", "[fdk]") {
  const auto poses = sweep(35, 200);
  const auto projections = test::project_ellipsoids({kHead}, poses, kDetector);
  CHECK(reconstruct(projections, poses, kDetector, kGrid, 1) == reconstruct(projections, poses, kDetector, kGrid, 2));
}

TEST_CASE("fdk: CUDA agrees with the CPU", "[fdk][parity]") {
  Context cpu = Context::cpu(1), ctx = test::make_context();
  // Within every view's cone, so that no voxel is on the edge of a detector.
  const VolumeGrid inner{35, 29, 21, {2, 2, 2}, {-35, -29, -21}};
  const auto compare = [&](const std::vector<Pose>& poses, const Detector& detector, const VolumeGrid& grid) {
    // Noise holds what a smooth object has not: frequencies up to Nyquist. A voxel's place on the detector is rounded,
    // here to about 2e-5 pixels, and the noise falls by all its height from one pixel to the next.
    for (const float amplitude : {0.0f, 0.2f}) {
      auto projections = test::project_ellipsoids({kHead}, poses, detector);
      const auto noise = test::random_values<float>(projections.size(), -1, 1, 4);
      for (std::size_t i = 0; i < noise.size(); ++i) projections[i] += amplitude * noise[i];
      const auto expected = reconstruct(cpu, projections, poses, detector, grid);
      const auto found = reconstruct(ctx, projections, poses, detector, grid);
      CAPTURE(amplitude);
      CHECK(test::relative_l2(found, expected) < (amplitude == 0 ? 5e-6 : 3e-5));
      const float peak = *std::max_element(expected.begin(), expected.end());
      CHECK(test::max_difference(found, expected) < 5e-5 * std::abs(peak));
    }
  };
  SECTION("full turn, more views than a batch") { compare(full_turn(35), kDetector, inner); }
  SECTION("short scan with an offset, rows longer than a tile, odd sizes") {
    CArmView view;
    view.offset_u_mm = 12;
    view.secondary_rad = 7 * kDegree;
    compare(sweep(7, 215, view), {301, 37, 0.75, 4.5}, inner);
  }
  SECTION("full turn, half fan") {
    CArmView view;
    view.offset_u_mm = 70;
    compare(full_turn(16, view), {301, 37, 0.75, 4.5}, {9, 7, 5, {2, 2, 2}, {-9, -7, -5}});
  }
  SECTION("an arc too short for Parker weights") { compare(sweep(9, 150), kDetector, inner); }
  SECTION("two pixels, two views, one voxel") {
    compare(sweep(2, 90), {2, 1, 40, 40}, {1, 1, 1, {1, 1, 1}, {-0.5, -0.5, -0.5}});
  }
  SECTION("voxels on the edges of the detectors") {
    const auto poses = sweep(12, 200);
    const auto projections = test::random_values<float>(12 * kDetector.num_pixels(), 0.0f, 1.0f, 6);
    const auto expected = reconstruct(cpu, projections, poses, kDetector, kGrid);
    const auto found = reconstruct(ctx, projections, poses, kDetector, kGrid);
    const float scale = *std::max_element(expected.begin(), expected.end());
    // Rounding may put a voxel on either side of an edge.
    const auto differ =
        std::inner_product(found.begin(), found.end(), expected.begin(), 0, std::plus<>(),
                           [scale](float a, float b) { return std::abs(a - b) < 5e-5f * scale ? 0 : 1; });
    CHECK(differ < static_cast<int>(found.size() / 1000));
  }
}

TEST_CASE("fdk: a single voxel, a single detector row, zero projections", "[fdk]") {
  const auto poses = full_turn(180);
  const Detector line{96, 1, 2.0, 2.0};
  const VolumeGrid voxel{1, 1, 1, {1, 1, 1}, {-0.5, -0.5, -0.5}};
  const auto volume = reconstruct(test::project_ellipsoids({kHead}, poses, line), poses, line, voxel);
  CHECK(volume[0] == Approx(0.02).epsilon(0.01));
  const auto empty = reconstruct(std::vector<float>(180 * 96, 0.0f), poses, line, voxel);
  CHECK(empty[0] == 0);
}

TEST_CASE("fdk: arguments are checked", "[fdk]") {
  Context ctx = test::make_context();
  const auto poses = sweep(4, 200);
  const Detector detector{6, 5, 2, 2};
  const VolumeGrid grid{3, 3, 3, {1, 1, 1}, {}};
  auto projections = Buffer<float>::zeros(ctx, 120);
  auto volume = Buffer<float>::zeros(ctx, 27), small = Buffer<float>::zeros(ctx, 26);
  const auto run = [&](const std::vector<Pose>& p, const Detector& d, const VolumeGrid& g, View<float> out) {
    fdk_reconstruct(ctx, {projections.view().subview(0, std::min<std::size_t>(120, p.size() * 30)), p, d, g}, out);
  };
  CHECK_NOTHROW(run(poses, detector, grid, volume));
  CHECK_THROWS_AS(run(poses, detector, grid, small), InvalidArgument);
  CHECK_THROWS_AS(run(poses, {5, 5, 2, 2}, grid, volume), InvalidArgument);
  CHECK_THROWS_AS(run(poses, {6, 5, 0, 2}, grid, volume), InvalidArgument);
  CHECK_THROWS_AS(run(poses, detector, {3, 3, 0, {1, 1, 1}, {}}, volume), InvalidArgument);
  CHECK_THROWS_AS(run({poses[0]}, detector, grid, volume), InvalidArgument);
  CHECK_THROWS_AS(run({poses[0], poses[0], poses[0]}, detector, grid, volume), InvalidArgument);
  auto away = poses;
  away[2].detector_center_mm = away[2].source_mm * 2;
  CHECK_THROWS_AS(run(away, detector, grid, volume), InvalidArgument);
  auto broken = poses;
  broken[1].source_mm.x = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(run(broken, detector, grid, volume), InvalidArgument);
}
