// SPDX-License-Identifier: Apache-2.0
// FDK of 30 views over 200°; arguments: detector width, height, volume side, threads.
#include <vector>

#include "fdk/fdk.hpp"
#include "measure.hpp"

namespace dsasrgs::bench {
namespace {

void fdk_bench(benchmark::State& state) {
  constexpr double kDetectorWidth_mm = 282, kVolumeSide_mm = 176;  // a head, as in the rotational-head data
  Context ctx = context_on(state.range(3));
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
  // Back-projection: a view at a voxel is a projection, four neighbours and a weight.
  constexpr double kFlopsPerVoxelAndView = 20;
  measure(state, ctx,
          {4.0 * static_cast<double>(projections.size() + volume.size()),
           kFlopsPerVoxelAndView * 30 * static_cast<double>(grid.num_voxels())},
          [&] {
            fdk_reconstruct(ctx, {projections, poses, detector, grid}, volume);
          });
}

void sizes(benchmark::internal::Benchmark* b) {
  timed(b)->ArgNames({"width", "height", "side", "threads"});
  for (const std::int64_t threads : machines()) b->Args({128, 93, 128, threads})->Args({512, 512, 256, threads});
}
const AtStart registered([] { sizes(RegisterBenchmark("fdk_bench", fdk_bench)); });

}  // namespace
}  // namespace dsasrgs::bench
