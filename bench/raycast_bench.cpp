// SPDX-License-Identifier: Apache-2.0
// raycast: one view of a cubic volume. Arguments: voxels per side, pixels per side, threads, primary angle in degrees
// (0: dominant axis x, contiguous in memory; 90: y).

#include <numbers>

#include "measure.hpp"
#include "raycast/raycast.hpp"

namespace dsasrgs::bench {
namespace {

void raycast_view(benchmark::State& state) {
  const int voxels = static_cast<int>(state.range(0)), pixels = static_cast<int>(state.range(1));
  Context ctx = context_on(state.range(2));
  const double side_mm = 176, detector_mm = 280;
  VolumeGrid grid{voxels, voxels, voxels, {}, Vec3d{-0.5, -0.5, -0.5} * side_mm};
  grid.spacing_mm = Vec3d{1, 1, 1} * (side_mm / voxels);
  const Buffer<float> volume = uniform(ctx, grid.num_voxels(), 0, 0.01f);
  CArmView view;
  view.primary_rad = static_cast<double>(state.range(3)) * std::numbers::pi / 180;
  const Detector detector{pixels, pixels, detector_mm / pixels, detector_mm / pixels};
  Buffer<float> image(ctx, detector.num_pixels());
  // A sample of a layer: position, three interpolations, sum.
  constexpr double kFlopsPerSample = 12;
  const double samples = static_cast<double>(detector.num_pixels()) * voxels;
  measure(state, ctx, {4.0 * static_cast<double>(volume.size() + image.size()), kFlopsPerSample * samples}, [&] {
    raycast(ctx, {volume, grid, carm_pose(view, 0), detector}, image);
  });
}

void sizes(benchmark::internal::Benchmark* b) {
  timed(b)
      ->ArgNames({"voxels", "pixels", "threads", "angle"})
      ->ArgsProduct({{128, 256}, {128, 512}, machines(), {0, 90}});
}
const AtStart registered([] { sizes(RegisterBenchmark("raycast_view", raycast_view)); });

}  // namespace
}  // namespace dsasrgs::bench
