// raycast: one view of a cubic volume. Arguments: voxels per side, pixels per side, threads, primary angle in degrees
// (0: dominant axis x, contiguous in memory; 90: y).

#include <benchmark/benchmark.h>

#include <numbers>
#include <vector>

#include "raycast/raycast.hpp"

namespace dsasrgs {
namespace {

void raycast_view(benchmark::State& state) {
  const int voxels = static_cast<int>(state.range(0)), pixels = static_cast<int>(state.range(1));
  Context ctx = Context::cpu(static_cast<int>(state.range(2)));
  const double side_mm = 176, detector_mm = 280;
  VolumeGrid grid{voxels, voxels, voxels, {}, Vec3d{-0.5, -0.5, -0.5} * side_mm};
  grid.spacing_mm = Vec3d{1, 1, 1} * (side_mm / voxels);
  std::vector<float> volume(grid.num_voxels());
  for (std::size_t i = 0; i < volume.size(); ++i) volume[i] = static_cast<float>(i % 97) * 1e-4f;
  CArmView view;
  view.primary_rad = static_cast<double>(state.range(3)) * std::numbers::pi / 180;
  const Detector detector{pixels, pixels, detector_mm / pixels, detector_mm / pixels};
  Buffer<float> image(ctx, detector.num_pixels());
  for (auto _ : state) {
    raycast(ctx, {view_of(volume), grid, carm_pose(view, 0), detector}, image);
    benchmark::DoNotOptimize(image.data());
  }
  state.counters["rays"] =
      benchmark::Counter(static_cast<double>(detector.num_pixels()), benchmark::Counter::kIsIterationInvariantRate);
  state.counters["samples"] = benchmark::Counter(static_cast<double>(detector.num_pixels()) * voxels,
                                                 benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(raycast_view)
    ->ArgNames({"voxels", "pixels", "threads", "angle"})
    ->ArgsProduct({{128, 256}, {128, 512}, {1, 2}, {0, 90}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace dsasrgs
