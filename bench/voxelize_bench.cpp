// SPDX-License-Identifier: Apache-2.0
// Voxeliser: N random Gaussians of 0.3–3 voxels in a cube of voxels. Arguments: Gaussians, voxels per side, threads.

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "common/gaussian_math.hpp"
#include "measure.hpp"
#include "voxelize/voxelize.hpp"

namespace dsasrgs::bench {
namespace {

struct Cloud {
  Context ctx;
  VolumeGrid grid;
  Buffer<float> position, raw_scale, rotation, density, volume;
  double pairs = 0;  ///< of Gaussians and voxels, from the volumes of the ellipsoids within the cut
  ScaleBounds bounds;

  explicit Cloud(const benchmark::State& state) : ctx(context_on(state.range(2))) {
    const std::size_t n = static_cast<std::size_t>(state.range(0));
    const int side = static_cast<int>(state.range(1));
    const float spacing_mm = 100.0f / static_cast<float>(side);
    grid = {side, side, side, {100.0 / side, 100.0 / side, 100.0 / side}, {-50, -50, -50}};
    bounds = {0.1f * spacing_mm, 10 * spacing_mm};
    std::mt19937 generator(1);
    std::uniform_real_distribution<float> log_scale(std::log(0.3f), std::log(3.0f));
    std::vector<float> raw;
    for (std::size_t i = 0; i < n; ++i) {
      double product = 4.0 / 3.0 * 3.14159265358979 * std::pow(static_cast<double>(kCutoff), 3);
      for (int a = 0; a < 3; ++a) {
        const float scale_voxels = std::exp(log_scale(generator));
        raw.push_back(raw_scale_from(scale_voxels * spacing_mm, bounds.min_mm, bounds.max_mm));
        product *= static_cast<double>(scale_voxels);
      }
      pairs += product;
    }
    position = uniform(ctx, 3 * n, -45, 45);
    raw_scale = Buffer<float>::from_host(ctx, raw);
    rotation = uniform(ctx, 4 * n, -1, 1);
    density = uniform(ctx, n, 0.01f, 0.03f);
    volume = Buffer<float>::zeros(ctx, grid.num_voxels());
  }
  VoxelizeInput input() const { return {{position, raw_scale, rotation, bounds}, density, grid}; }
  double bytes() const { return 4.0 * static_cast<double>(volume.size()); }
};

// A pair: the chord's coordinate, its square, the exponential (5 steps), weight and sum; ten moments on the way back.
constexpr double kForwardFlops = 14, kBackwardFlops = 34;

void voxelize_forward_bench(benchmark::State& state) {
  Cloud c(state);
  measure(state, c.ctx, {c.bytes(), kForwardFlops * c.pairs}, [&] { voxelize_forward(c.ctx, c.input(), c.volume); });
}

void voxelize_backward_bench(benchmark::State& state) {
  Cloud c(state);
  Buffer<float> position(c.ctx, c.position.size()), raw_scale(c.ctx, c.raw_scale.size()),
      rotation(c.ctx, c.rotation.size()), density(c.ctx, c.density.size());
  measure(state, c.ctx, {c.bytes(), kBackwardFlops * c.pairs}, [&] {
    voxelize_backward(c.ctx, c.input(), c.volume.view(), GradientMode::overwrite,
                      {position, raw_scale, rotation, density});
  });
}

void sizes(benchmark::internal::Benchmark* b) {
  timed(b)->ArgNames({"gaussians", "side", "threads"});
  for (const std::int64_t threads : machines())
    b->Args({20000, 128, threads})->Args({50000, 256, threads})->Args({100000, 256, threads});
}
const AtStart registered([] {
  sizes(RegisterBenchmark("voxelize_forward_bench", voxelize_forward_bench));
  sizes(RegisterBenchmark("voxelize_backward_bench", voxelize_backward_bench));
});

}  // namespace
}  // namespace dsasrgs::bench
