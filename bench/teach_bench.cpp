// SPDX-License-Identifier: Apache-2.0
// Texture richness (once per view), the teaching reference and the gradient of its weights (every step), square images;
// arguments: side in px, threads.

#include "measure.hpp"
#include "teach/teach.hpp"

namespace dsasrgs::bench {
namespace {

struct Images {
  Context ctx;
  int side;
  Buffer<float> super_resolved, upsampled, similarity, richness, weights, teach, grad_teach, grad_weights;

  explicit Images(const benchmark::State& state)
      : ctx(context_on(state.range(1))), side(static_cast<int>(state.range(0))) {
    const auto pixels = static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
    super_resolved = uniform(ctx, pixels, 0, 1);
    upsampled = uniform(ctx, pixels, 0, 1);
    similarity = uniform(ctx, pixels, -0.2f, 1);
    richness = uniform(ctx, pixels, 0, 1);
    weights = uniform(ctx, 2, 0.5f, 1.5f);
    teach = Buffer<float>(ctx, pixels);
    grad_teach = uniform(ctx, pixels, -1, 1);
    grad_weights = Buffer<float>::zeros(ctx, 2);
  }
  TeachInput input() const { return {super_resolved, upsampled, similarity, richness, {}}; }
  double pixels() const { return static_cast<double>(teach.size()); }
};

// Floats per pixel: four maps in and one out; the gradient reads one more and writes none. Sobel, magnitude and the
// binomial window read the image and write two maps; the percentile is counted as two more passes.
constexpr double kForwardFloats = 5, kBackwardFloats = 5, kRichnessFloats = 6;

void teach_texture(benchmark::State& state) {
  Images i(state);
  measure(state, i.ctx, {4 * kRichnessFloats * i.pixels(), 0}, [&] {
    texture_richness(i.ctx, {i.side, i.side}, i.super_resolved, i.richness);
  });
}

void teach_forward_bench(benchmark::State& state) {
  Images i(state);
  measure(state, i.ctx, {4 * kForwardFloats * i.pixels(), 0},
          [&] { teach_forward(i.ctx, i.input(), {}, i.weights, i.teach); });
}

void teach_backward_bench(benchmark::State& state) {
  Images i(state);
  TeachScratch scratch;
  measure(state, i.ctx, {4 * kBackwardFloats * i.pixels(), 0},
          [&] { teach_backward(i.ctx, i.input(), {}, i.weights, i.grad_teach, scratch, i.grad_weights); });
}

void sizes(benchmark::internal::Benchmark* b) {
  timed(b)->ArgNames({"px", "threads"})->ArgsProduct({{512, 1024}, machines()});
}
const AtStart registered([] {
  sizes(RegisterBenchmark("teach_texture", teach_texture));
  sizes(RegisterBenchmark("teach_forward_bench", teach_forward_bench));
  sizes(RegisterBenchmark("teach_backward_bench", teach_backward_bench));
});

}  // namespace
}  // namespace dsasrgs::bench
