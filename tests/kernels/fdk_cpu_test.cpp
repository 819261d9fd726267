// SPDX-License-Identifier: Apache-2.0
// The two halves of filtered back-projection on the CPU, each against plain loops in double.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>

#include "fdk/fdk_arc.hpp"
#include "fdk/fdk_bodies.hpp"
#include "oracle/fdk_oracle.hpp"
#include "support/context.hpp"
#include "support/random_values.hpp"

using namespace dsasrgs;

namespace {

/// A job on views of noise, whose filter has the highest frequencies to get right.
struct NoisyJob {
  std::vector<Pose> poses;
  Detector detector;
  VolumeGrid grid{};
  Context ctx = Context::cpu(2);
  SourceArc arc = fit_source_arc(poses);
  Buffer<float> projections =
      Buffer<float>::from_host(ctx, test::random_values<float>(poses.size() * detector.num_pixels(), -1, 1, 4));
  FdkInput input{projections, poses, detector, grid};
  FdkJob job{input, arc, 0.4, {}};
  HostVector<float> filtered{};

  NoisyJob(std::vector<Pose> of, const Detector& on, const VolumeGrid& into)
      : poses(std::move(of)), detector(on), grid(into) {
    cpu::fdk_filter(ctx, job, 0, poses.size(), filtered);
  }
  std::size_t plane() const {
    return static_cast<std::size_t>(detector.width_px + 2) * static_cast<std::size_t>(detector.height_px + 2);
  }
  double sample(std::size_t view, int row, int column) const {
    return static_cast<double>(
        filtered[view * plane() + static_cast<std::size_t>(column * (detector.height_px + 2) + row)]);
  }
};

std::vector<Pose> sweep(int num_views, double secondary_deg = 0, double roll_deg = 0) {
  constexpr double kDegree = std::numbers::pi / 180;
  CircularSweep s;
  s.num_views = num_views;
  s.arc_rad = 200 * kDegree;
  s.first_rad = 17 * kDegree;
  s.view.secondary_rad = secondary_deg * kDegree;
  std::vector<Pose> poses = circular_poses(s);
  for (Pose& p : poses) {
    const double c = std::cos(roll_deg * kDegree), sine = std::sin(roll_deg * kDegree);
    const Vec3d u = p.detector_u, v = p.detector_v;
    p.detector_u = u * c + v * sine;
    p.detector_v = v * c - u * sine;
  }
  return poses;
}

double largest_error(const NoisyJob& job) {
  Context ctx = Context::cpu(2);
  Buffer<float> volume = Buffer<float>::zeros(ctx, job.grid.num_voxels());
  cpu::fdk_back_project(job.ctx, job.job, 0, job.poses.size(), job.filtered, volume);
  std::vector<test::FilteredView> views;
  for (std::size_t v = 0; v < job.poses.size(); ++v)
    views.push_back({job.poses[v], job.arc.views[v].toward_axis, job.arc.views[v].radius_mm,
                     job.filtered.data() + v * job.plane()});
  double error = 0, largest = 0;
  const VolumeGrid& g = job.grid;
  for (int z = 0, i = 0; z < g.size_z; ++z)
    for (int y = 0; y < g.size_y; ++y)
      for (int x = 0; x < g.size_x; ++x, ++i) {
        const Vec3d voxel =
            g.origin_mm + Vec3d{(x + 0.5) * g.spacing_mm.x, (y + 0.5) * g.spacing_mm.y, (z + 0.5) * g.spacing_mm.z};
        const double expected = test::back_projected(views, job.detector, voxel);
        error = std::max(error, std::abs(static_cast<double>(volume.data()[i]) - expected));
        largest = std::max(largest, std::abs(expected));
      }
  REQUIRE(largest > 0);
  return error / largest;
}

}  // namespace

TEST_CASE("fdk: filtered rows are the convolution in double, and the border repeats them", "[fdk][oracle]") {
  // Heights that fill no vector, one pair, and more than a block of rows.
  const int height = GENERATE(1, 2, 31, 33, 70);
  const NoisyJob noisy(sweep(3, 9), {45, height, 3, 4}, {2, 2, 2, {1, 1, 1}, {0, 0, 0}});
  const HostVector<double> exact = filter_taps(45);
  const std::vector<double> taps(exact.begin(), exact.end());
  double error = 0, largest = 0;
  for (std::size_t v = 0; v < 3; ++v) {
    const FilterView view = filter_view(noisy.job, v);
    for (int r = 0; r < height; ++r) {
      const FilterRow row = filter_row(view, r);
      std::vector<double> weighted;
      for (int c = 0; c < 45; ++c)
        weighted.push_back(static_cast<double>(ray_weight(row, static_cast<float>(c) + 0.5f)) *
                           static_cast<double>(noisy.projections.data()[(v * height + r) * 45 + c]));
      const std::vector<double> expected = test::filtered_row(weighted, taps);
      for (int c = 0; c < 45; ++c) {
        error = std::max(error, std::abs(noisy.sample(v, r + 1, c + 1) - expected[static_cast<std::size_t>(c)]));
        largest = std::max(largest, std::abs(expected[static_cast<std::size_t>(c)]));
      }
    }
    bool repeats = true;
    for (int r = 0; r < height + 2; ++r)
      for (int c = 0; c < 47; ++c)
        repeats = repeats && noisy.sample(v, r, c) == noisy.sample(v, std::clamp(r, 1, height), std::clamp(c, 1, 45));
    CHECK(repeats);
  }
  CHECK(error < 2e-6 * largest);
}

TEST_CASE("fdk: back-projection is the sum over the views in double", "[fdk][oracle]") {
  // Voxels that see from a tenth of a row to a dozen, along columns of the detector, across and between them.
  const double pitch_mm = GENERATE(0.25, 0.7, 1.6, 3.0, 30.0);
  const int pixels = std::min(300, static_cast<int>(60 / pitch_mm) + 4);
  const Detector detector{pixels, pixels - 1, pitch_mm, pitch_mm};
  const VolumeGrid grid{9, 11, 37, {1.9, 1.9, 1.9}, {-8.6, -10.5, -35.2}};
  CAPTURE(pitch_mm);
  // A place on the detector is rounded to about 2e-5 pixels, between samples of noise.
  SECTION("upright") { CHECK(largest_error({sweep(5), detector, grid}) < 5e-5); }
  SECTION("at a secondary angle") { CHECK(largest_error({sweep(5, 12), detector, grid}) < 5e-5); }
  SECTION("detectors turned a little and a quarter") {
    CHECK(largest_error({sweep(4, 0, 3), detector, grid}) < 5e-5);
    CHECK(largest_error({sweep(4, 0, 88), detector, grid}) < 5e-5);
  }
}
