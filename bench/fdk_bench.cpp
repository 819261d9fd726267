// FDK of 30 views over 200°; arguments: detector width, height, volume side, threads.
#include <benchmark/benchmark.h>

#include <vector>

#include "fdk/fdk.hpp"

namespace {
using namespace dsasrgs;

void fdk_bench(benchmark::State& state) {
  constexpr double kDetectorWidth_mm = 282, kVolumeSide_mm = 176;  // a head, as in the rotational-head data
  Context ctx = Context::cpu(static_cast<int>(state.range(3)));
  const int width = static_cast<int>(state.range(0)), height = static_cast<int>(state.range(1));
  const int side = static_cast<int>(state.range(2));
  CircularSweep sweep;
  sweep.num_views = 30;
  const std::vector<Pose> poses = circular_poses(sweep);
  const Detector detector{width, height, kDetectorWidth_mm / width, kDetectorWidth_mm / width};
  const double spacing = kVolumeSide_mm / side, corner = -kVolumeSide_mm / 2;
  const VolumeGrid grid{side, side, side, {spacing, spacing, spacing}, {corner, corner, corner}};
  const auto projections = Buffer<float>::from_host(ctx, std::vector<float>(30 * detector.num_pixels(), 1.0f));
  Buffer<float> volume(ctx, grid.num_voxels());
  for (auto _ : state) {
    fdk_reconstruct(ctx, {projections, poses, detector, grid}, {}, volume);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * 30 * static_cast<std::int64_t>(grid.num_voxels()));
}

BENCHMARK(fdk_bench)
    ->Args({128, 93, 128, 1})
    ->Args({128, 93, 128, 2})
    ->Args({512, 512, 256, 1})
    ->Args({512, 512, 256, 2})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
