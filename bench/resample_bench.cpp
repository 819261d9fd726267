// SPDX-License-Identifier: Apache-2.0
// Resampling between 1/scale and full resolution; arguments: full-resolution side in px, scale, threads.
#include "dsasrgs/buffer.hpp"
#include "measure.hpp"
#include "resample/resample.hpp"

namespace dsasrgs::bench {
namespace {

struct Images {
  Context ctx;
  ResampleShape shape;
  Buffer<float> low, high;

  explicit Images(const benchmark::State& state) : ctx(context_on(state.range(2))) {
    const auto side = static_cast<std::size_t>(state.range(0)),
               low_side = side / static_cast<std::size_t>(state.range(1));
    shape = {static_cast<int>(low_side), static_cast<int>(low_side), static_cast<int>(state.range(1))};
    low = Buffer<float>::zeros(ctx, low_side * low_side);
    high = Buffer<float>::zeros(ctx, side * side);
  }
  Work work() const { return {4.0 * static_cast<double>(low.size() + high.size()), 0}; }
};

void upsample_bicubic_bench(benchmark::State& state) {
  Images i(state);
  measure(state, i.ctx, i.work(), [&] { upsample_bicubic(i.ctx, i.shape, i.low, i.high); });
}
void pool_average_bench(benchmark::State& state) {
  Images i(state);
  measure(state, i.ctx, i.work(), [&] { pool_average(i.ctx, i.shape, i.high, i.low); });
}
void pool_average_adjoint_bench(benchmark::State& state) {
  Images i(state);
  measure(state, i.ctx, i.work(),
          [&] { pool_average_adjoint(i.ctx, i.shape, i.low, GradientMode::overwrite, i.high); });
}

void sizes(benchmark::internal::Benchmark* b) {
  timed(b)->ArgNames({"px", "scale", "threads"})->ArgsProduct({{512, 1024}, {4}, machines()});
}
const AtStart registered([] {
  sizes(RegisterBenchmark("upsample_bicubic_bench", upsample_bicubic_bench));
  sizes(RegisterBenchmark("pool_average_bench", pool_average_bench));
  sizes(RegisterBenchmark("pool_average_adjoint_bench", pool_average_adjoint_bench));
});

}  // namespace
}  // namespace dsasrgs::bench
