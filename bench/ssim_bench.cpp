// Image loss, forward and backward, square images; arguments: side in px, threads.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "dsasrgs/buffer.hpp"
#include "ssim/ssim.hpp"

namespace {
using namespace dsasrgs;

struct Images {
  Context ctx;
  ImageLossShape shape;
  Buffer<float> x, y;

  explicit Images(const benchmark::State& state) : ctx(Context::cpu(static_cast<int>(state.range(1)))) {
    shape.width_px = shape.height_px = static_cast<int>(state.range(0));
    std::mt19937 generator(1);
    std::uniform_real_distribution<float> uniform(0.0f, 1.0f);
    std::vector<float> values(static_cast<std::size_t>(state.range(0) * state.range(0)));
    for (float& v : values) v = uniform(generator);
    x = Buffer<float>::from_host(ctx, values);
    for (float& v : values) v = 0.7f * v + 0.3f * uniform(generator);
    y = Buffer<float>::from_host(ctx, values);
  }
  ImageLossInput input() const { return {x, y, {}}; }
};

void count_pixels(benchmark::State& state, const Images& images) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(images.x.size()));
}

void image_loss_forward_bench(benchmark::State& state) {
  Images images(state);
  ImageLossSaved saved;
  for (auto _ : state)
    benchmark::DoNotOptimize(image_loss_forward(images.ctx, images.shape, images.input(), saved).total);
  count_pixels(state, images);
}

void image_loss_backward_bench(benchmark::State& state) {
  Images images(state);
  ImageLossSaved saved;
  image_loss_forward(images.ctx, images.shape, images.input(), saved);
  Buffer<float> gradient(images.ctx, images.x.size());
  for (auto _ : state) {
    image_loss_backward(images.ctx, images.shape, images.input(), saved, 1.0f, GradientMode::overwrite, gradient);
    benchmark::ClobberMemory();
  }
  count_pixels(state, images);
}

BENCHMARK(image_loss_forward_bench)->ArgsProduct({{512, 1024}, {1, 2}})->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(image_loss_backward_bench)->ArgsProduct({{512, 1024}, {1, 2}})->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
