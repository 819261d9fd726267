// The offset-table attenuation, forward and backward, and the smoothness of its tables; arguments: Gaussians, threads.

#include "attenuation/attenuation.hpp"
#include "measure.hpp"

namespace dsasrgs::bench {
namespace {

constexpr float kScale = 0.03f, kTime = 0.37f, kLambda = 0.0043f;

struct Tables {
  Context ctx;
  Buffer<float> coefficients, density, grad_coefficients;

  explicit Tables(const benchmark::State& state) : ctx(context_on(state.range(1))) {
    const auto n = static_cast<std::size_t>(state.range(0));
    coefficients = uniform(ctx, kOffsetTableCoefficients * n, -2, 2);
    density = uniform(ctx, n, 0, 0.05f);
    grad_coefficients = Buffer<float>::zeros(ctx, coefficients.size());
  }
  double gaussians() const { return static_cast<double>(density.size()); }
};

// Bytes of a Gaussian: six coefficients in (all of their lines, though three are read), one density or six gradients
// out.
constexpr double kForwardBytes = 28, kBackwardBytes = 52, kSmoothnessBytes = 24;

void offset_table_forward(benchmark::State& state) {
  Tables t(state);
  measure(state, t.ctx, {kForwardBytes * t.gaussians(), 0},
          [&] { offset_table_density_forward(t.ctx, kScale, kTime, t.coefficients, t.density); });
}

void offset_table_backward(benchmark::State& state) {
  Tables t(state);
  measure(state, t.ctx, {kBackwardBytes * t.gaussians(), 0}, [&] {
    offset_table_density_backward(t.ctx, kScale, kTime, t.coefficients, t.density.view(), t.grad_coefficients);
  });
}

void offset_table_smoothness(benchmark::State& state) {
  Tables t(state);
  OffsetTableSmoothness saved;
  measure(state, t.ctx, {kSmoothnessBytes * t.gaussians(), 0},
          [&] { offset_table_smoothness_forward(t.ctx, kLambda, t.coefficients, saved); });
}

void offset_table_smoothness_back(benchmark::State& state) {
  Tables t(state);
  measure(state, t.ctx, {3 * kSmoothnessBytes * t.gaussians(), 0},
          [&] { offset_table_smoothness_backward(t.ctx, kLambda, t.coefficients, t.grad_coefficients); });
}

void sizes(benchmark::internal::Benchmark* b) {
  timed(b)->ArgNames({"gaussians", "threads"})->ArgsProduct({{50000, 200000}, machines()});
}
BENCHMARK(offset_table_forward)->Apply(sizes);
BENCHMARK(offset_table_backward)->Apply(sizes);
BENCHMARK(offset_table_smoothness)->Apply(sizes);
BENCHMARK(offset_table_smoothness_back)->Apply(sizes);

}  // namespace
}  // namespace dsasrgs::bench
