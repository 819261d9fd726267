// SPDX-License-Identifier: Apache-2.0
// The loss of a batch of square patches and its gradient; arguments: images, side in px, channels of the prediction,
// threads.

#include "label_loss/label_loss.hpp"
#include "measure.hpp"

namespace dsasrgs::bench {
namespace {

void label_loss_bench(benchmark::State& state) {
  Context ctx = context_on(state.range(3));
  const auto channels = static_cast<std::size_t>(state.range(2));
  LabelLossShape shape;
  shape.images = static_cast<int>(state.range(0));
  shape.pixels = static_cast<std::size_t>(state.range(1) * state.range(1));
  shape.with_error = channels == 2;
  const std::size_t n = static_cast<std::size_t>(shape.images) * shape.pixels;
  const Buffer<float> prediction = uniform(ctx, channels * n, -3, 1), target = uniform(ctx, n, 0, 1);
  Buffer<float> gradient(ctx, channels * n);
  // Prediction and target are read, the gradient is written.
  measure(state, ctx, {4.0 * static_cast<double>((2 * channels + 1) * n), 0},
          [&] { benchmark::DoNotOptimize(label_loss(ctx, shape, prediction, target, gradient)); });
}
const AtStart registered([] {
  RegisterBenchmark("label_loss_bench", label_loss_bench)
      ->Apply([](benchmark::internal::Benchmark* b) { timed(b); })
      ->ArgNames({"images", "px", "channels", "threads"})
      ->ArgsProduct({{12}, {192}, {1, 2}, machines()});
});

}  // namespace
}  // namespace dsasrgs::bench
