// Projection, binning and rasterisation of a vessel-like cloud. Arguments: kernels, image side in pixels, threads.

#include <benchmark/benchmark.h>

#include <vector>

#include "project/project.hpp"
#include "rasterize/rasterize.hpp"
#include "tile/tile.hpp"
#include "vessel_cloud.hpp"

namespace dsasrgs::bench {
namespace {

/// A cloud in the context's memory and everything the passes write.
struct Scene {
  Scene(std::size_t n, int size_px, int threads)
      : ctx(Context::cpu(threads)),
        bounds(vessel_cloud(0).bounds),
        detector(bench_detector(size_px)),
        mean(ctx, 2 * n),
        conic(ctx, 3 * n),
        amplitude(ctx, n),
        box(ctx, n),
        image(ctx, detector.num_pixels()),
        grad_image(ctx, detector.num_pixels()),
        grad_mean(ctx, 2 * n),
        grad_conic(ctx, 3 * n),
        grad_amplitude(ctx, n),
        grad_position(ctx, 3 * n),
        grad_scale(ctx, 3 * n),
        grad_rotation(ctx, 4 * n),
        grad_density(ctx, n) {
    const VesselCloud cloud = vessel_cloud(n);
    position = Buffer<float>::from_host(ctx, cloud.position_mm);
    raw_scale = Buffer<float>::from_host(ctx, cloud.raw_scale);
    rotation = Buffer<float>::from_host(ctx, cloud.rotation);
    density = Buffer<float>::from_host(ctx, cloud.density);
    for (std::size_t i = 0; i < grad_image.size(); ++i) grad_image.data()[i] = static_cast<float>(i % 17) * 0.1f - 0.8f;
    project_forward(ctx, project_input(), project_output());
    rasterize_forward(ctx, input(), scratch, image);
    rasterize_backward(ctx, input(), grad_image.view(), GradientMode::overwrite, gradient());
  }

  ProjectInput project_input() const {
    return {{position, raw_scale, rotation, bounds}, density, bench_pose(), detector, false};
  }
  ProjectOutput project_output() { return {mean, conic, amplitude, box}; }
  RasterizeInput input() const { return {detector.width_px, detector.height_px, mean, conic, amplitude, box}; }
  RasterizeGradient gradient() { return {grad_mean, grad_conic, grad_amplitude}; }

  /// Pixels in the kernels' boxes, and pixels that received something.
  double pairs() const {
    double sum = 0;
    for (const PixelBox& b : box.view())
      if (!b.empty()) sum += double(b.x_end - b.x_begin) * double(b.y_end - b.y_begin);
    return sum;
  }

  Context ctx;
  ScaleBounds bounds;
  Detector detector;
  Buffer<float> position, raw_scale, rotation, density;
  Buffer<float> mean, conic, amplitude;
  Buffer<PixelBox> box;
  Buffer<float> image, grad_image;
  Buffer<float> grad_mean, grad_conic, grad_amplitude, grad_position, grad_scale, grad_rotation, grad_density;
  RasterizeScratch scratch;
};

Scene make_scene(const benchmark::State& state) {
  return {static_cast<std::size_t>(state.range(0)), static_cast<int>(state.range(1)), static_cast<int>(state.range(2))};
}

void count(benchmark::State& state, const Scene& scene) {
  const double kernels = static_cast<double>(scene.box.size());
  state.counters["kernels/s"] = benchmark::Counter(kernels, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["box px/kernel"] = scene.pairs() / kernels;
}

void project_forward_bench(benchmark::State& state) {
  Scene s = make_scene(state);
  for (auto _ : state) project_forward(s.ctx, s.project_input(), s.project_output());
  count(state, s);
}

void project_backward_bench(benchmark::State& state) {
  Scene s = make_scene(state);
  for (auto _ : state)
    project_backward(s.ctx, s.project_input(), {s.grad_mean, s.grad_conic, s.grad_amplitude}, GradientMode::overwrite,
                     {s.grad_position, s.grad_scale, s.grad_rotation, s.grad_density});
  count(state, s);
}

void tile_bin_bench(benchmark::State& state) {
  Scene s = make_scene(state);
  const TileGrid bands{s.detector.width_px, s.detector.height_px, s.detector.width_px, 32};
  for (auto _ : state) tile_bin(s.ctx, s.box, bands, s.scratch.tiles);
  count(state, s);
}

void rasterize_forward_bench(benchmark::State& state) {
  Scene s = make_scene(state);
  for (auto _ : state) rasterize_forward(s.ctx, s.input(), s.scratch, s.image);
  count(state, s);
}

void rasterize_backward_bench(benchmark::State& state) {
  Scene s = make_scene(state);
  for (auto _ : state) rasterize_backward(s.ctx, s.input(), s.grad_image.view(), GradientMode::overwrite, s.gradient());
  count(state, s);
}

void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"kernels", "px", "threads"})
      ->ArgsProduct({{20000, 50000, 100000}, {512, 1024}, {1, 2}})
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}
BENCHMARK(project_forward_bench)->Apply(sizes);
BENCHMARK(project_backward_bench)->Apply(sizes);
BENCHMARK(tile_bin_bench)->Apply(sizes);
BENCHMARK(rasterize_forward_bench)->Apply(sizes);
BENCHMARK(rasterize_backward_bench)->Apply(sizes);

}  // namespace
}  // namespace dsasrgs::bench
