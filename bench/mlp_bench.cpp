// The network at the sizes of a training step, and the forward pass with Eigen in blocks for comparison.

#include <benchmark/benchmark.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "mlp/mlp.hpp"

namespace {

using namespace dsasrgs;

Buffer<float> uniform(Context& ctx, std::size_t n, float range) {
  std::mt19937 generator(1);
  std::uniform_real_distribution<float> distribution(-range, range);
  Buffer<float> b(ctx, n);
  for (float& x : b.view()) x = distribution(generator);
  return b;
}

MlpShape shape_of(const benchmark::State& state) {
  MlpShape s;
  s.inputs = static_cast<int>(state.range(1));
  s.width = static_cast<int>(state.range(2));
  return s;
}

/// Counts 2 operations per weight, point and product.
void set_flops(benchmark::State& state, const MlpShape& s, double products, double n) {
  const double weights = double(s.inputs) * s.width + (s.hidden_layers - 1) * double(s.width) * s.width + s.width;
  state.counters["FLOPS"] =
      benchmark::Counter(2 * weights * products * n * double(state.iterations()), benchmark::Counter::kIsRate);
}

/// Arguments: threads, inputs, width, points.
void mlp_forward_pass(benchmark::State& state) {
  Context ctx = Context::cpu(static_cast<int>(state.range(0)));
  const MlpShape s = shape_of(state);
  const std::size_t n = static_cast<std::size_t>(state.range(3));
  const auto parameters = uniform(ctx, mlp_num_parameters(s), 0.2f),
             input = uniform(ctx, static_cast<std::size_t>(s.inputs) * n, 1);
  Buffer<float> output(ctx, n);
  for (auto _ : state) mlp_forward(ctx, s, parameters, input, output);
  set_flops(state, s, 1, double(n));
}

void mlp_backward_pass(benchmark::State& state) {
  Context ctx = Context::cpu(static_cast<int>(state.range(0)));
  const MlpShape s = shape_of(state);
  const std::size_t n = static_cast<std::size_t>(state.range(3));
  const auto parameters = uniform(ctx, mlp_num_parameters(s), 0.2f), grad_output = uniform(ctx, n, 1),
             input = uniform(ctx, static_cast<std::size_t>(s.inputs) * n, 1);
  auto grad_parameters = Buffer<float>::zeros(ctx, parameters.size());
  Buffer<float> grad_input(ctx, input.size());
  for (auto _ : state)
    mlp_backward(ctx, s, parameters, input, grad_output, grad_parameters, GradientMode::overwrite, grad_input);
  set_flops(state, s, 3, double(n));
}

/// One thread; what a plain Eigen implementation does, compiled for this file's instruction set.
void mlp_forward_eigen(benchmark::State& state) {
  Eigen::setNbThreads(1);
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  constexpr Eigen::Index kBlock = 96;
  const MlpShape s = shape_of(state);
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
  set_flops(state, s, 1, double(n));
}

void sizes(benchmark::internal::Benchmark* b) {
  for (const std::int64_t threads : {1, 2}) {
    b->Args({threads, 32, 64, 49000});
    b->Args({threads, 48, 64, 50000});
  }
  b->Args({2, 48, 64, 5000});
  b->Args({2, 48, 128, 50000});
  b->Args({2, 24, 40, 50000});
  b->Unit(benchmark::kMillisecond)->UseRealTime();
}

}  // namespace

BENCHMARK(mlp_forward_pass)->Apply(sizes);
BENCHMARK(mlp_backward_pass)->Apply(sizes);
BENCHMARK(mlp_forward_eigen)
    ->Args({1, 32, 64, 49000})
    ->Args({1, 48, 64, 50000})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
