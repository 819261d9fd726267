// SPDX-License-Identifier: Apache-2.0
// The network at the sizes of a training step, and the forward pass with Eigen in blocks for comparison. Arguments:
// threads, inputs, width, points.

#include <Eigen/Core>
#include <algorithm>

#include "measure.hpp"
#include "mlp/mlp.hpp"

namespace dsasrgs::bench {
namespace {

MlpShape shape_of(const benchmark::State& state, MlpPrecision precision) {
  MlpShape s;
  s.inputs = static_cast<int>(state.range(1));
  s.width = static_cast<int>(state.range(2));
  s.precision = precision;
  return s;
}

/// 2 operations per weight, point and product.
double flops(const MlpShape& s, double products, double n) {
  return 2 * products * n * (double(s.inputs) * s.width + (s.hidden_layers - 1) * double(s.width) * s.width + s.width);
}

void mlp_forward_pass(benchmark::State& state, MlpPrecision precision) {
  Context ctx = context_on(state.range(0));
  const MlpShape s = shape_of(state, precision);
  const std::size_t n = static_cast<std::size_t>(state.range(3));
  const auto parameters = uniform(ctx, mlp_num_parameters(s), -0.2f, 0.2f),
             input = uniform(ctx, static_cast<std::size_t>(s.inputs) * n, -1, 1);
  Buffer<float> output(ctx, n);
  measure(state, ctx, {4.0 * double(n) * (s.inputs + 1), flops(s, 1, double(n))}, [&] {
    mlp_forward(ctx, {s, parameters, input}, output);
  });
}

void mlp_backward_pass(benchmark::State& state, MlpPrecision precision) {
  Context ctx = context_on(state.range(0));
  const MlpShape s = shape_of(state, precision);
  const std::size_t n = static_cast<std::size_t>(state.range(3));
  const auto parameters = uniform(ctx, mlp_num_parameters(s), -0.2f, 0.2f), grad_output = uniform(ctx, n, -1, 1),
             input = uniform(ctx, static_cast<std::size_t>(s.inputs) * n, -1, 1);
  auto grad_parameters = Buffer<float>::zeros(ctx, parameters.size());
  Buffer<float> grad_input(ctx, input.size());
  MlpScratch scratch;
  measure(state, ctx, {4.0 * double(n) * (2 * s.inputs + 1), flops(s, 3, double(n))}, [&] {
    mlp_backward(ctx, {s, parameters, input}, grad_output, {grad_parameters, grad_input}, scratch);
  });
}

/// One thread; what a plain Eigen implementation does, compiled for this file's instruction set.
void mlp_forward_eigen(benchmark::State& state) {
  Eigen::setNbThreads(1);
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  constexpr Eigen::Index kBlock = 96;
  const MlpShape s = shape_of(state, MlpPrecision::fp32);
  const Eigen::Index n = state.range(3);
  const Matrix w1 = Matrix::Random(s.width, s.inputs), w2 = Matrix::Random(s.width, s.width),
               w3 = Matrix::Random(1, s.width), x = Matrix::Random(s.inputs, n);
  Matrix y(1, n), h1, h2;
  for (auto _ : state) {
    for (Eigen::Index p = 0; p < n; p += kBlock) {
      const Eigen::Index count = std::min(kBlock, n - p);
      h1.noalias() = w1 * x.middleCols(p, count);
      h1 = h1.cwiseMax(0);
      h2.noalias() = w2 * h1;
      h2 = h2.cwiseMax(0);
      y.middleCols(p, count).noalias() = w3 * h2;
    }
    benchmark::DoNotOptimize(y.data());
  }
  state.counters["GFLOP/s"] =
      benchmark::Counter(1e-9 * flops(s, 1, double(n)) * double(state.iterations()), benchmark::Counter::kIsRate);
}

void sizes(benchmark::internal::Benchmark* b) {
  timed(b)->ArgNames({"threads", "inputs", "width", "points"});
  for (const std::int64_t threads : machines())
    b->Args({threads, 32, 64, 49000})
        ->Args({threads, 48, 64, 20000})
        ->Args({threads, 48, 64, 50000})
        ->Args({threads, 48, 64, 100000});
}
/// On CUDA or, where there is none, the CPU, which gains nothing in bf16.
void last_machine_sizes(benchmark::internal::Benchmark* b) {
  timed(b)->ArgsProduct({{machines().back()}, {48}, {64}, {20000, 50000, 100000}});
}

const AtStart registered([] {
  sizes(RegisterBenchmark("mlp_forward_pass/fp32", mlp_forward_pass, MlpPrecision::fp32));
  sizes(RegisterBenchmark("mlp_backward_pass/fp32", mlp_backward_pass, MlpPrecision::fp32));
  last_machine_sizes(RegisterBenchmark("mlp_forward_pass/bf16", mlp_forward_pass, MlpPrecision::bf16));
  last_machine_sizes(RegisterBenchmark("mlp_backward_pass/bf16", mlp_backward_pass, MlpPrecision::bf16));
  RegisterBenchmark("mlp_forward_eigen", mlp_forward_eigen)
      ->Args({1, 32, 64, 49000})
      ->Args({1, 48, 64, 50000})
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
});

}  // namespace
}  // namespace dsasrgs::bench
