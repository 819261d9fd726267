#include "mlp/mlp.hpp"

#include <string>

#include "common/has_cuda.hpp"
#include "common/require.hpp"
#include "mlp/mlp_bodies.hpp"
#include "mlp/mlp_math.hpp"

namespace dsasrgs {
namespace {

void require_shape(const char* op, const MlpShape& s) {
  const auto check = [&](const char* what, int value, int limit) {
    require(value >= 1 && value <= limit, op,
            std::string(what) + ": expected 1 to " + std::to_string(limit) + ", found " + std::to_string(value));
  };
  check("shape.inputs", s.inputs, 256);
  check("shape.width", s.width, 256);
  check("shape.hidden_layers", s.hidden_layers, 64);
}

}  // namespace

std::size_t mlp_num_parameters(const MlpShape& shape) {
  require_shape("mlp_num_parameters", shape);
  return mlp_layer(shape, shape.hidden_layers).biases + 1;
}

void mlp_forward(Context& ctx, const MlpShape& shape, View<const float> parameters, View<const float> input,
                 View<float> output) {
  constexpr const char* kOp = "mlp_forward";
  require_shape(kOp, shape);
  require_size(kOp, "parameters", mlp_num_parameters(shape), parameters.size());
  require_size(kOp, "input", static_cast<std::size_t>(shape.inputs) * output.size(), input.size());
  if (output.empty()) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::mlp_forward(ctx, shape, parameters, input, output);
  cpu::mlp_forward(ctx, shape, parameters, input, output);
}

void mlp_backward(Context& ctx, const MlpShape& shape, View<const float> parameters, View<const float> input,
                  View<const float> grad_output, View<float> grad_parameters, GradientMode mode, View<float> grad_input,
                  MlpScratch& scratch) {
  constexpr const char* kOp = "mlp_backward";
  require_shape(kOp, shape);
  require_size(kOp, "parameters", mlp_num_parameters(shape), parameters.size());
  require_size(kOp, "input", static_cast<std::size_t>(shape.inputs) * grad_output.size(), input.size());
  require_size(kOp, "grad_parameters", parameters.size(), grad_parameters.size());
  if (!grad_input.empty()) require_size(kOp, "grad_input", input.size(), grad_input.size());
  if (grad_output.empty()) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda)
      return cuda::mlp_backward(ctx, shape, parameters, input, grad_output, grad_parameters, mode, grad_input, scratch);
  cpu::mlp_backward(ctx, shape, parameters, input, grad_output, grad_parameters, mode, grad_input);
}

}  // namespace dsasrgs
