// SPDX-License-Identifier: Apache-2.0
// Projection, binning and rasterisation of a vessel-like cloud. Arguments: Gaussians, image side in pixels, threads.

#include <vector>

#include "measure.hpp"
#include "project/project.hpp"
#include "rasterize/rasterize.hpp"
#include "tile/tile.hpp"
#include "vessel_cloud.hpp"

namespace dsasrgs::bench {
namespace {

/// A cloud in the context's memory and everything the passes write.
struct Scene {
  Scene(std::size_t n, int size_px, std::int64_t threads)
      : ctx(context_on(threads)),
        bounds(vessel_cloud(0).bounds),
        detector(bench_detector(size_px)),
        mean(ctx, 2 * n),
        conic(ctx, 3 * n),
        amplitude(ctx, n),
        box(ctx, n),
        image(ctx, detector.num_pixels()),
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
    std::vector<float> gradient_values(detector.num_pixels());
    for (std::size_t i = 0; i < gradient_values.size(); ++i)
      gradient_values[i] = static_cast<float>(i % 17) * 0.1f - 0.8f;
    grad_image = Buffer<float>::from_host(ctx, gradient_values);
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

  /// Pixels in the Gaussians' boxes.
  double pairs() {
    double sum = 0;
    for (const PixelBox& b : box.to_host(ctx))
      if (!b.empty()) sum += double(b.x_end - b.x_begin) * double(b.y_end - b.y_begin);
    return sum;
  }
  double gaussians() const { return static_cast<double>(box.size()); }
  double pixels() const { return static_cast<double>(detector.num_pixels()); }

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
  return {static_cast<std::size_t>(state.range(0)), static_cast<int>(state.range(1)), state.range(2)};
}

void run(benchmark::State& state, Scene& scene, const Work& work, const std::function<void()>& body) {
  measure(state, scene.ctx, work, body);
  state.counters["box px/Gaussian"] = scene.pairs() / scene.gaussians();
}

// Floats per Gaussian: position, scale, rotation and density in; mean, conic, amplitude and box out.
constexpr double kGaussianIn = 11, kProjectedOut = 10, kGaussianGradient = 11, kProjectedGradient = 6;

void project_forward_bench(benchmark::State& state) {
  Scene s = make_scene(state);
  run(state, s, {4 * s.gaussians() * (kGaussianIn + kProjectedOut), 0},
      [&] { project_forward(s.ctx, s.project_input(), s.project_output()); });
}

void project_backward_bench(benchmark::State& state) {
  Scene s = make_scene(state);
  run(state, s, {4 * s.gaussians() * (kGaussianIn + kProjectedGradient + kGaussianGradient), 0}, [&] {
    project_backward(s.ctx, s.project_input(), {s.grad_mean, s.grad_conic, s.grad_amplitude}, GradientMode::overwrite,
                     {s.grad_position, s.grad_scale, s.grad_rotation, s.grad_density});
  });
}

void project_pose_backward_bench(benchmark::State& state) {
  Scene s = make_scene(state);
  Buffer<float> sums(s.ctx, kPoseSums);
  PoseScratch scratch;
  run(state, s, {4 * s.gaussians() * (kGaussianIn + kProjectedGradient), 0}, [&] {
    project_pose_backward(s.ctx, s.project_input(), {s.grad_mean, s.grad_conic, s.grad_amplitude}, scratch, sums);
  });
}

void project_pose_forward_bench(benchmark::State& state) {
  Scene s = make_scene(state);
  const PoseTangent shift{{}, {0, 1, 0}, {}, {}};
  run(state, s, {4 * s.gaussians() * (kGaussianIn + kProjectedGradient), 0}, [&] {
    project_pose_forward(s.ctx, s.project_input(), shift, {s.grad_mean, s.grad_conic, s.grad_amplitude});
  });
}

void tile_bin_bench(benchmark::State& state) {
  Scene s = make_scene(state);
  // The tiles of the backend's rasterizer: bands on the CPU, squares on CUDA.
  const bool cuda = s.ctx.backend() == Backend::cuda;
  const TileGrid tiles{s.detector.width_px, s.detector.height_px, cuda ? 16 : s.detector.width_px, cuda ? 16 : 32};
  run(state, s, {}, [&] { tile_bin(s.ctx, s.box, tiles, s.scratch.tiles); });
}

// A pair of Gaussian and box pixel: difference, square, product, comparison, exponential (5 steps), weight and sum.
constexpr double kFlopsPerPair = 16;

void rasterize_forward_bench(benchmark::State& state) {
  Scene s = make_scene(state);
  run(state, s, {4 * (s.pixels() + s.gaussians() * kProjectedOut), kFlopsPerPair * s.pairs()},
      [&] { rasterize_forward(s.ctx, s.input(), s.scratch, s.image); });
}

void rasterize_backward_bench(benchmark::State& state) {
  Scene s = make_scene(state);
  run(state, s,
      {4 * (s.pixels() + s.gaussians() * (kProjectedOut + kProjectedGradient)), 1.5 * kFlopsPerPair * s.pairs()},
      [&] { rasterize_backward(s.ctx, s.input(), s.grad_image.view(), GradientMode::overwrite, s.gradient()); });
}

void sizes(benchmark::internal::Benchmark* b) {
  timed(b)->ArgNames({"gaussians", "px", "threads"})->ArgsProduct({{20000, 50000, 100000}, {512, 1024}, machines()});
}
const AtStart registered([] {
  sizes(RegisterBenchmark("project_forward_bench", project_forward_bench));
  sizes(RegisterBenchmark("project_backward_bench", project_backward_bench));
  sizes(RegisterBenchmark("project_pose_backward_bench", project_pose_backward_bench));
  sizes(RegisterBenchmark("project_pose_forward_bench", project_pose_forward_bench));
  sizes(RegisterBenchmark("tile_bin_bench", tile_bin_bench));
  sizes(RegisterBenchmark("rasterize_forward_bench", rasterize_forward_bench));
  sizes(RegisterBenchmark("rasterize_backward_bench", rasterize_backward_bench));
});

}  // namespace
}  // namespace dsasrgs::bench
