// SPDX-License-Identifier: Apache-2.0
// A layer at the sizes of a network's training step: 12 patches of 48 × 48, from 32 channels to 32, and the network's
// other widths; on CUDA cuBLAS for comparison. Arguments: threads, inputs, outputs, images, px. A pixel and weight are
// one FMA per pass.

#include "common/has_cuda.hpp"
#include "convolve/convolve.hpp"
#include "convolve_cublas.hpp"
#include "dsasrgs/error.hpp"
#include "measure.hpp"

namespace dsasrgs::bench {
namespace {

struct Layer {
  Layer(const benchmark::State& state, ConvolvePrecision precision)
      : ctx(context_on(state.range(0))),
        shape{static_cast<int>(state.range(3)),
              static_cast<int>(state.range(1)),
              static_cast<int>(state.range(2)),
              static_cast<int>(state.range(4)),
              static_cast<int>(state.range(4)),
              ConvolveActivation::relu,
              precision},
        pixels(static_cast<std::size_t>(shape.images) * static_cast<std::size_t>(shape.width_px) *
               static_cast<std::size_t>(shape.height_px)),
        num_weights(static_cast<std::size_t>(shape.inputs) * static_cast<std::size_t>(shape.outputs) * 9),
        weights(uniform(ctx, num_weights, -0.1f, 0.1f)),
        bias(uniform(ctx, static_cast<std::size_t>(shape.outputs), -0.1f, 0.1f)),
        image(uniform(ctx, pixels * static_cast<std::size_t>(shape.inputs), -1, 1)),
        output(uniform(ctx, pixels * static_cast<std::size_t>(shape.outputs), -1, 1)) {}
  ConvolveInput input() const { return {shape, weights, bias, image}; }
  double flops() const { return 2.0 * double(pixels) * double(num_weights); }
  /// With the output as many times as it is read or written.
  double bytes(double outputs) const {
    return 4.0 * (double(image.size()) + outputs * double(output.size()) + double(num_weights));
  }

  Context ctx;
  ConvolveShape shape;
  std::size_t pixels, num_weights;
  Buffer<float> weights, bias, image, output;
};

void convolve_forward_pass(benchmark::State& state, ConvolvePrecision precision) {
  Layer layer(state, precision);
  measure(state, layer.ctx, {layer.bytes(1), layer.flops()},
          [&] { convolve_forward(layer.ctx, layer.input(), layer.output); });
}

void convolve_backward_to_image(benchmark::State& state, ConvolvePrecision precision) {
  Layer layer(state, precision);
  const auto grad_output = uniform(layer.ctx, layer.output.size(), -1, 1);
  Buffer<float> grad_image(layer.ctx, layer.image.size());
  ConvolveScratch scratch;
  measure(state, layer.ctx, {layer.bytes(2), layer.flops()}, [&] {
    convolve_backward(layer.ctx, layer.input(), layer.output, grad_output, {grad_image, {}, {}}, scratch);
  });
}

void convolve_backward_to_weights(benchmark::State& state, ConvolvePrecision precision) {
  Layer layer(state, precision);
  const auto grad_output = uniform(layer.ctx, layer.output.size(), -1, 1);
  auto grad_weights = Buffer<float>::zeros(layer.ctx, layer.num_weights),
       grad_bias = Buffer<float>::zeros(layer.ctx, layer.bias.size());
  ConvolveScratch scratch;
  measure(state, layer.ctx, {layer.bytes(2), layer.flops()}, [&] {
    convolve_backward(layer.ctx, layer.input(), layer.output, grad_output, {{}, grad_weights, grad_bias}, scratch);
  });
}

/// Skipped where there is no CUDA or no cuBLAS.
void convolve_forward_cublas(benchmark::State& state) {
  Layer layer(state, ConvolvePrecision::fp32);
  try {
    if (layer.ctx.backend() != Backend::cuda) throw BackendUnavailable("cuBLAS needs CUDA");
    if constexpr (has_cuda) {
      cuda::CublasConvolution reference(layer.ctx, layer.shape);
      measure(state, layer.ctx, {layer.bytes(1), layer.flops()},
              [&] { reference.forward(layer.ctx, layer.weights, layer.image, layer.output); });
    }
  } catch (const Error& e) {
    state.SkipWithError(e.what());
  }
}

void layers(benchmark::internal::Benchmark* b, const std::vector<std::int64_t>& on) {
  timed(b)->ArgNames({"threads", "inputs", "outputs", "images", "px"});
  for (const std::int64_t threads : on)
    b->Args({threads, 32, 32, 12, 48})->Args({threads, 1, 32, 12, 48})->Args({threads, 32, 16, 12, 48});
}
void sizes(benchmark::internal::Benchmark* b) {
  layers(b, machines());
  for (const std::int64_t threads : machines()) b->Args({threads, 32, 32, 1, 320});
}
/// On CUDA or, where there is none, the CPU, which gains nothing in bf16.
void last_machine_sizes(benchmark::internal::Benchmark* b) { layers(b, {machines().back()}); }

const AtStart registered([] {
  sizes(RegisterBenchmark("convolve_forward_pass/fp32", convolve_forward_pass, ConvolvePrecision::fp32));
  sizes(RegisterBenchmark("convolve_backward_to_image/fp32", convolve_backward_to_image, ConvolvePrecision::fp32));
  sizes(RegisterBenchmark("convolve_backward_to_weights/fp32", convolve_backward_to_weights, ConvolvePrecision::fp32));
  last_machine_sizes(RegisterBenchmark("convolve_forward_pass/bf16", convolve_forward_pass, ConvolvePrecision::bf16));
  last_machine_sizes(
      RegisterBenchmark("convolve_backward_to_image/bf16", convolve_backward_to_image, ConvolvePrecision::bf16));
  last_machine_sizes(
      RegisterBenchmark("convolve_backward_to_weights/bf16", convolve_backward_to_weights, ConvolvePrecision::bf16));
  last_machine_sizes(RegisterBenchmark("convolve_forward_cublas", convolve_forward_cublas));
});

}  // namespace
}  // namespace dsasrgs::bench
