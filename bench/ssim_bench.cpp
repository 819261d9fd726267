// SPDX-License-Identifier: Apache-2.0
// Image loss, forward and backward, square images; arguments: side in px, threads.
#include <random>
#include <vector>

#include "dsasrgs/buffer.hpp"
#include "measure.hpp"
#include "ssim/ssim.hpp"

namespace dsasrgs::bench {
namespace {

struct Images {
  Context ctx;
  ImageLossShape shape;
  Buffer<float> x, y;

  explicit Images(const benchmark::State& state) : ctx(context_on(state.range(1))) {
    shape.width_px = shape.height_px = static_cast<int>(state.range(0));
    std::mt19937 generator(1);
    std::uniform_real_distribution<float> uniform(0.0f, 1.0f);
    std::vector<float> values(static_cast<std::size_t>(state.range(0) * state.range(0)));
    for (float& v : values) v = uniform(generator);
    x = Buffer<float>::from_host(ctx, values);
    for (float& v : values) v = 0.7f * v + 0.3f * uniform(generator);
    y = Buffer<float>::from_host(ctx, values);
  }
  ImageLossInput input() const { return {x, y, {}, 0}; }
  double pixels() const { return static_cast<double>(x.size()); }
};

// Floats per pixel: two images in, three maps out; the way back reads five and writes one.
constexpr double kForwardFloats = 5, kBackwardFloats = 6;
// Two passes of 11 taps for 4 moments (3 maps on the way back), two operations a tap, and the formulas.
constexpr double kForwardFlops = 2 * 11 * 4 * 2 + 40, kBackwardFlops = 2 * 11 * 3 * 2 + 10;

void image_loss_forward_bench(benchmark::State& state) {
  Images i(state);
  ImageLossSaved saved;
  measure(state, i.ctx, {4 * kForwardFloats * i.pixels(), kForwardFlops * i.pixels()},
          [&] { image_loss_forward(i.ctx, i.shape, i.input(), saved); });
}

void image_loss_backward_bench(benchmark::State& state) {
  Images i(state);
  ImageLossSaved saved;
  image_loss_forward(i.ctx, i.shape, i.input(), saved);
  Buffer<float> gradient(i.ctx, i.x.size());
  measure(state, i.ctx, {4 * kBackwardFloats * i.pixels(), kBackwardFlops * i.pixels()},
          [&] { image_loss_backward(i.ctx, i.shape, i.input(), saved, 1.0f, GradientMode::overwrite, gradient); });
}

void sizes(benchmark::internal::Benchmark* b) {
  timed(b)->ArgNames({"px", "threads"})->ArgsProduct({{512, 1024}, machines()});
}
const AtStart registered([] {
  sizes(RegisterBenchmark("image_loss_forward_bench", image_loss_forward_bench));
  sizes(RegisterBenchmark("image_loss_backward_bench", image_loss_backward_bench));
});

}  // namespace
}  // namespace dsasrgs::bench
