// SPDX-License-Identifier: Apache-2.0
// Total variation of a cube of random voxels, forward and backward; arguments: voxels per side, threads.

#include "measure.hpp"
#include "tv/tv.hpp"

namespace dsasrgs::bench {
namespace {

struct Block {
  Context ctx;
  VolumeGrid grid;
  Buffer<float> volume, gradient;

  explicit Block(const benchmark::State& state) : ctx(context_on(state.range(1))) {
    const int side = static_cast<int>(state.range(0));
    grid = {side, side, side, {1, 1, 1}, {0, 0, 0}};
    volume = uniform(ctx, grid.num_voxels(), 0, 0.05f);
    gradient = Buffer<float>(ctx, grid.num_voxels());
  }
  double voxels() const { return static_cast<double>(volume.size()); }
};

// A voxel has three forward differences (difference, absolute value, sum) and six neighbours on the way back.
constexpr double kForwardFlops = 9, kBackwardFlops = 18;

void total_variation_forward_bench(benchmark::State& state) {
  Block b(state);
  TotalVariationSaved saved;
  measure(state, b.ctx, {4 * b.voxels(), kForwardFlops * b.voxels()},
          [&] { total_variation_forward(b.ctx, b.grid, b.volume, saved); });
}

void total_variation_backward_bench(benchmark::State& state) {
  Block b(state);
  measure(state, b.ctx, {8 * b.voxels(), kBackwardFlops * b.voxels()},
          [&] { total_variation_backward(b.ctx, b.grid, b.volume, 0.05f, GradientMode::overwrite, b.gradient); });
}

void sizes(benchmark::internal::Benchmark* b) {
  timed(b)->ArgNames({"side", "threads"})->ArgsProduct({{32, 128}, machines()});
}
const AtStart registered([] {
  sizes(RegisterBenchmark("total_variation_forward_bench", total_variation_forward_bench));
  sizes(RegisterBenchmark("total_variation_backward_bench", total_variation_backward_bench));
});

}  // namespace
}  // namespace dsasrgs::bench
