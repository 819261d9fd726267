// SPDX-License-Identifier: Apache-2.0
// Residual-guided births: the scores of one 256 × 256 view in a cube of voxels, and the choice of births among them;
// arguments: voxels per side, threads.

#include "measure.hpp"
#include "residual/residual.hpp"
#include "vessel_cloud.hpp"

namespace dsasrgs::bench {
namespace {

constexpr std::size_t kBirths = 300;

struct View256 {
  Context ctx;
  VolumeGrid grid;
  Detector detector = bench_detector(256);
  Buffer<float> measured, rendered;

  explicit View256(const benchmark::State& state) : ctx(context_on(state.range(1))) {
    const int side = static_cast<int>(state.range(0));
    const double h = 120.0 / side;
    grid = {side, side, side, {h, h, h}, {-60, -60, -60}};
    measured = uniform(ctx, detector.num_pixels(), 0, 1);
    rendered = uniform(ctx, detector.num_pixels(), 0, 0.5f);
  }
  ResidualInput input() const { return {grid, bench_pose(), detector, measured, rendered, {}}; }
  double voxels() const { return static_cast<double>(grid.num_voxels()); }
};

void residual_score(benchmark::State& state) {
  View256 v(state);
  ResidualScores scores = ResidualScores::zeros(v.ctx, v.grid);
  measure(state, v.ctx, {16 * v.voxels(), 0}, [&] { residual_score_add(v.ctx, v.input(), scores); });
}

void residual_pick(benchmark::State& state) {
  View256 v(state);
  ResidualScores scores = ResidualScores::zeros(v.ctx, v.grid);
  residual_score_add(v.ctx, v.input(), scores);
  measure(state, v.ctx, {8 * v.voxels(), 0}, [&] { pick_births(v.ctx, v.grid, scores, 1, kBirths); });
}

void sizes(benchmark::internal::Benchmark* b) {
  timed(b)->ArgNames({"side", "threads"})->ArgsProduct({{64, 128}, machines()});
}
const AtStart registered([] {
  sizes(RegisterBenchmark("residual_score", residual_score));
  sizes(RegisterBenchmark("residual_pick", residual_pick));
});

}  // namespace
}  // namespace dsasrgs::bench
