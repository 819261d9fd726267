// SPDX-License-Identifier: Apache-2.0
// The static and the offset-table attenuation, forward and backward, the smoothness of the tables and the unit box;
// arguments: Gaussians, threads.

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

/// Numbers per Gaussian of the static model and of positions.
struct Values {
  Context ctx;
  Buffer<float> in, out, gradient;

  Values(const benchmark::State& state, std::size_t width) : ctx(context_on(state.range(1))) {
    const std::size_t n = width * static_cast<std::size_t>(state.range(0));
    in = uniform(ctx, n, -2, 2);
    out = uniform(ctx, n, 0, 0.05f);
    gradient = Buffer<float>::zeros(ctx, n);
  }
  /// Of `arrays` arrays that are read or written.
  double bytes(int arrays) const { return 4.0 * arrays * static_cast<double>(in.size()); }
};
const VolumeGrid kBox{32, 32, 32, {1, 1, 1}, {-16, -16, -16}};

void softplus_forward(benchmark::State& state) {
  Values v(state, 1);
  measure(state, v.ctx, {v.bytes(2), 0}, [&] { softplus_density_forward(v.ctx, kScale, v.in, v.out); });
}

void softplus_backward(benchmark::State& state) {
  Values v(state, 1);
  measure(state, v.ctx, {v.bytes(3), 0},
          [&] { softplus_density_backward(v.ctx, kScale, v.in, v.out.view(), v.gradient); });
}

void unit_box(benchmark::State& state) {
  Values v(state, 3);
  measure(state, v.ctx, {v.bytes(2), 0}, [&] { to_unit_box(v.ctx, kBox, v.in, v.out); });
}

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
const AtStart registered([] {
  sizes(RegisterBenchmark("softplus_forward", softplus_forward));
  sizes(RegisterBenchmark("softplus_backward", softplus_backward));
  sizes(RegisterBenchmark("unit_box", unit_box));
  sizes(RegisterBenchmark("offset_table_forward", offset_table_forward));
  sizes(RegisterBenchmark("offset_table_backward", offset_table_backward));
  sizes(RegisterBenchmark("offset_table_smoothness", offset_table_smoothness));
  sizes(RegisterBenchmark("offset_table_smoothness_back", offset_table_smoothness_back));
});

}  // namespace
}  // namespace dsasrgs::bench
