// Resampling between 1/scale and full resolution; arguments: full-resolution side in px, scale, threads.
#include <benchmark/benchmark.h>

#include "dsasrgs/buffer.hpp"
#include "resample/resample.hpp"

namespace {
using namespace dsasrgs;

struct Images {
  Context ctx;
  ResampleShape shape;
  Buffer<float> low, high;

  explicit Images(const benchmark::State& state) : ctx(Context::cpu(static_cast<int>(state.range(2)))) {
    const auto side = static_cast<std::size_t>(state.range(0)),
               low_side = side / static_cast<std::size_t>(state.range(1));
    shape = {static_cast<int>(low_side), static_cast<int>(low_side), static_cast<int>(state.range(1))};
    low = Buffer<float>::zeros(ctx, low_side * low_side);
    high = Buffer<float>::zeros(ctx, side * side);
  }
  void count_bytes(benchmark::State& state) const {
    const auto pixels = static_cast<std::int64_t>(low.size() + high.size());
    state.SetBytesProcessed(state.iterations() * pixels * static_cast<std::int64_t>(sizeof(float)));
  }
};

void upsample_bicubic_bench(benchmark::State& state) {
  Images images(state);
  for (auto _ : state) {
    upsample_bicubic(images.ctx, images.shape, images.low, images.high);
    benchmark::ClobberMemory();
  }
  images.count_bytes(state);
}

void pool_average_bench(benchmark::State& state) {
  Images images(state);
  for (auto _ : state) {
    pool_average(images.ctx, images.shape, images.high, images.low);
    benchmark::ClobberMemory();
  }
  images.count_bytes(state);
}

void pool_average_adjoint_bench(benchmark::State& state) {
  Images images(state);
  for (auto _ : state) {
    pool_average_adjoint(images.ctx, images.shape, images.low, GradientMode::overwrite, images.high);
    benchmark::ClobberMemory();
  }
  images.count_bytes(state);
}

BENCHMARK(upsample_bicubic_bench)->ArgsProduct({{512, 1024}, {4}, {1, 2}})->UseRealTime();
BENCHMARK(pool_average_bench)->ArgsProduct({{512, 1024}, {2, 4}, {1, 2}})->UseRealTime();
BENCHMARK(pool_average_adjoint_bench)->ArgsProduct({{512, 1024}, {2, 4}, {1, 2}})->UseRealTime();

}  // namespace
