// SPDX-License-Identifier: Apache-2.0
#include "mlp/mlp.hpp"

#include "common/checks.hpp"
#include "common/has_cuda.hpp"
#include "mlp/mlp_bodies.hpp"
#include "mlp/mlp_math.hpp"

namespace dsasrgs {
namespace {

void require_shape(const char* op, const MlpShape& s) {
  require_count(op, "shape.inputs", s.inputs, 1, 256);
  require_count(op, "shape.width", s.width, 1, 256);
  require_count(op, "shape.hidden_layers", s.hidden_layers, 1, 64);
  require(s.sharpness > 0 && s.sharpness <= kMlpMaxSharpness, op,
          "shape.sharpness: expected a positive number of at most 1e6, found ", s.sharpness);
}

/// Checks shape, parameters and the features of n points.
void check(const char* op, const MlpInput& in, std::size_t n) {
  require_shape(op, in.shape);
  require(
      in.shape.precision == MlpPrecision::fp32 || mlp_fits_bf16(in.shape), op,
      "shape.precision: expected fp32 for a network whose hidden layers and weights do not fit 96 KiB in bf16, found "
      "bf16");
  require_size(op, "parameters", mlp_num_parameters(in.shape), in.parameters.size());
  require_size(op, "features", size_product(static_cast<std::size_t>(in.shape.inputs), n), in.features.size());
}

}  // namespace

std::size_t mlp_num_parameters(const MlpShape& shape) {
  require_shape("mlp_num_parameters", shape);
  return mlp_layer(shape, shape.hidden_layers).biases + 1;
}

bool mlp_fits_bf16(const MlpShape& shape) {
  require_shape("mlp_fits_bf16", shape);
  return mlp_bf16_shared_bytes(shape, shape.hidden_layers) <= kMlpBf16SharedLimitBytes;
}

void mlp_forward(Context& ctx, const MlpInput& in, View<float> output) {
  check("mlp_forward", in, output.size());
  if (output.empty()) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::mlp_forward(ctx, in, output);
  cpu::mlp_forward(ctx, in, output);
}

void mlp_backward(Context& ctx, const MlpInput& in, View<const float> grad_output, const MlpGradient& gradient,
                  MlpScratch& scratch) {
  constexpr const char* kOp = "mlp_backward";
  check(kOp, in, grad_output.size());
  require_size(kOp, "gradient parameters", in.parameters.size(), gradient.parameters.size());
  if (!gradient.features.empty()) require_size(kOp, "gradient features", in.features.size(), gradient.features.size());
  if (grad_output.empty()) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::mlp_backward(ctx, in, grad_output, gradient, scratch);
  cpu::mlp_backward(ctx, in, grad_output, gradient);
}

}  // namespace dsasrgs
