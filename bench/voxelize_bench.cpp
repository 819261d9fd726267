// Voxeliser: N random kernels of 0.3–3 voxels in a cube of voxels. Arguments: kernels, voxels per side, threads.

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "common/gaussian_math.hpp"
#include "voxelize/voxelize.hpp"

namespace dsasrgs {
namespace {

struct VoxelizeBench {
  Context ctx;
  VolumeGrid grid;
  std::vector<float> position, raw_scale, rotation, density, volume;
  VoxelizeInput input;

  explicit VoxelizeBench(const benchmark::State& state) : ctx(Context::cpu(static_cast<int>(state.range(2)))) {
    const std::size_t n = static_cast<std::size_t>(state.range(0));
    const int side = static_cast<int>(state.range(1));
    const float spacing_mm = 100.0f / static_cast<float>(side);
    grid = {side, side, side, {100.0 / side, 100.0 / side, 100.0 / side}, {-50, -50, -50}};
    const ScaleBounds bounds{0.1f * spacing_mm, 10 * spacing_mm};
    std::mt19937 generator(1);
    std::uniform_real_distribution<float> place(-45, 45), log_scale(std::log(0.3f), std::log(3.0f)), unit(-1, 1);
    for (std::size_t i = 0; i < 3 * n; ++i) {
      position.push_back(place(generator));
      raw_scale.push_back(raw_scale_from(std::exp(log_scale(generator)) * spacing_mm, bounds.min_mm, bounds.max_mm));
    }
    for (std::size_t i = 0; i < 4 * n; ++i) rotation.push_back(unit(generator));
    density.assign(n, 0.02f);
    volume.resize(grid.num_voxels());
    input = {
        {view_of(std::as_const(position)), view_of(std::as_const(raw_scale)), view_of(std::as_const(rotation)), bounds},
        view_of(std::as_const(density)),
        grid};
  }

  /// Kernel-voxel pairs, from the volume of the ellipsoid within the cut.
  void count(benchmark::State& state) const {
    double pairs = 0;
    const double voxel = grid.spacing_mm.x * grid.spacing_mm.y * grid.spacing_mm.z;
    for (std::size_t i = 0; i < density.size(); ++i) {
      double product = 4.0 / 3.0 * 3.14159265358979 * std::pow(static_cast<double>(kCutoff), 3) / voxel;
      for (std::size_t a = 0; a < 3; ++a) {
        const auto& b = input.gaussians.bounds;
        product *= static_cast<double>(b.min_mm + (b.max_mm - b.min_mm) * sigmoid(raw_scale[3 * i + a]));
      }
      pairs += product;
    }
    const double iterations = static_cast<double>(state.iterations());
    state.counters["pairs/s"] = benchmark::Counter(pairs * iterations, benchmark::Counter::kIsRate);
    state.counters["kernels/s"] =
        benchmark::Counter(static_cast<double>(density.size()) * iterations, benchmark::Counter::kIsRate);
  }
};

void voxelize_forward(benchmark::State& state) {
  VoxelizeBench b(state);
  for (auto _ : state) dsasrgs::voxelize_forward(b.ctx, b.input, view_of(b.volume));
  b.count(state);
}

void voxelize_backward(benchmark::State& state) {
  VoxelizeBench b(state);
  b.volume.assign(b.volume.size(), 0.5f);
  const std::size_t n = b.density.size();
  std::vector<float> position(3 * n), raw_scale(3 * n), rotation(4 * n), density(n);
  const GaussianGradient grad{view_of(position), view_of(raw_scale), view_of(rotation), view_of(density)};
  for (auto _ : state)
    dsasrgs::voxelize_backward(b.ctx, b.input, view_of(std::as_const(b.volume)), GradientMode::overwrite, grad);
  b.count(state);
}

void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"kernels", "side", "threads"})->Unit(benchmark::kMillisecond)->UseRealTime();
  for (const int threads : {1, 2})
    b->Args({20000, 128, threads})->Args({50000, 256, threads})->Args({100000, 256, threads});
}
BENCHMARK(voxelize_forward)->Apply(sizes);
BENCHMARK(voxelize_backward)->Apply(sizes);

}  // namespace
}  // namespace dsasrgs
