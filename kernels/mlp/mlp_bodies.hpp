#pragma once
// The bodies of mlp.hpp on both backends; arguments are already validated.

#include "mlp/mlp.hpp"

namespace dsasrgs::cpu {

void mlp_forward(Context&, const MlpShape&, View<const float> parameters, View<const float> input, View<float> output);
void mlp_backward(Context&, const MlpShape&, View<const float> parameters, View<const float> input,
                  View<const float> grad_output, View<float> grad_parameters, GradientMode, View<float> grad_input);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void mlp_forward(Context&, const MlpShape&, View<const float> parameters, View<const float> input, View<float> output);
void mlp_backward(Context&, const MlpShape&, View<const float> parameters, View<const float> input,
                  View<const float> grad_output, View<float> grad_parameters, GradientMode, View<float> grad_input,
                  MlpScratch&);

}  // namespace dsasrgs::cuda
