// SPDX-License-Identifier: Apache-2.0
// Element-wise steps on an image, and its sums; arguments: side in pixels, threads.

#include "elementwise/elementwise.hpp"
#include "measure.hpp"

namespace dsasrgs::bench {
namespace {

struct Images {
  Context ctx;
  Buffer<float> a, b;

  explicit Images(const benchmark::State& state) : ctx(context_on(state.range(1))) {
    const auto pixels = static_cast<std::size_t>(state.range(0) * state.range(0));
    a = uniform(ctx, pixels, -1, 1);
    b = uniform(ctx, pixels, -1, 1);
  }
  /// Of `arrays` images that are read or written.
  double bytes(int arrays) const { return 4.0 * arrays * static_cast<double>(a.size()); }
  double flops() const { return 2 * static_cast<double>(a.size()); }
};

void affine_values_bench(benchmark::State& state) {
  Images i(state);
  measure(state, i.ctx, {i.bytes(2), i.flops()}, [&] { affine_values(i.ctx, 1.01f, 0.001f, i.a, i.b); });
}

void add_scaled_bench(benchmark::State& state) {
  Images i(state);
  measure(state, i.ctx, {i.bytes(3), i.flops()}, [&] { add_scaled(i.ctx, 1e-3f, i.a, i.b); });
}

void add_product_bench(benchmark::State& state) {
  Images i(state);
  measure(state, i.ctx, {i.bytes(3), i.flops()}, [&] { add_product(i.ctx, i.a, i.a, i.b); });
}

void sum_and_product_bench(benchmark::State& state) {
  Images i(state);
  measure(state, i.ctx, {i.bytes(2), 1.5 * i.flops()},
          [&] { benchmark::DoNotOptimize(sum_and_product(i.ctx, i.a, i.b)); });
}

void sizes(benchmark::internal::Benchmark* b) {
  timed(b)->ArgNames({"side", "threads"})->ArgsProduct({{512, 1024}, machines()});
}
const AtStart registered([] {
  sizes(RegisterBenchmark("affine_values_bench", affine_values_bench));
  sizes(RegisterBenchmark("add_scaled_bench", add_scaled_bench));
  sizes(RegisterBenchmark("add_product_bench", add_product_bench));
  sizes(RegisterBenchmark("sum_and_product_bench", sum_and_product_bench));
});

}  // namespace
}  // namespace dsasrgs::bench
