#pragma once
/// @file
/// The small fully connected network Φ of the attenuation field: ReLU hidden layers, one output.

#include <cstddef>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/gaussians.hpp"

namespace dsasrgs {

enum class Activation { relu, softplus, identity };

/// Of the hidden layers on CUDA; sums, biases and the output layer are always fp32. The CPU computes fp32 throughout.
enum class MlpPrecision {
  fp32,
  /// Factors rounded to bfloat16, for tensor cores (compute capability 8.0 or later). On random networks: outputs to
  /// about 4e-3, gradients to about 3e-2 of their norm, because hidden units close to zero change sides. Networks whose
  /// weights do not fit shared memory (48 → 64 → … → 64 → 1 has up to 4 hidden layers) run in fp32.
  bf16,
};

struct MlpShape {
  int inputs = 48;
  int width = 64;
  int hidden_layers = 2;  ///< at least 1; inputs → width → … → width → 1
  Activation output = Activation::relu;
  MlpPrecision precision = MlpPrecision::fp32;
};

/// Floats in the parameter vector: for each layer the weights [out, in] row-major, then the biases [out].
std::size_t mlp_num_parameters(const MlpShape&);

/// input [inputs, N] feature-major → output [N], overwritten: y = act(W_L relu(… relu(W_1 x + b_1) …) + b_L)
/// (DSA-SRGS eq. 1). Deterministic. N = 0: nothing.
/// Throws InvalidArgument when sizes disagree or a shape entry is not positive (inputs and width at most 256,
/// hidden_layers at most 64).
void mlp_forward(Context&, const MlpShape&, View<const float> parameters, View<const float> input, View<float> output);

/// Memory the CUDA backend keeps between backward calls, so that a repeated call allocates nothing; grown as needed.
/// The CPU leaves it empty.
struct MlpScratch {
  Buffer<float> partial;  ///< parameter gradients of each block
  Buffer<float> hidden;   ///< hidden layers that do not fit a multiprocessor's shared memory
};

/// VJP; the hidden layers are recomputed in blocks, nothing is saved. grad_output [N].
/// grad_parameters is always accumulated into; grad_input [inputs, N] follows `mode` (empty view: skipped).
/// Parameter gradients are summed over a fixed partition of the points: bit-identical for any thread count.
void mlp_backward(Context&, const MlpShape&, View<const float> parameters, View<const float> input,
                  View<const float> grad_output, View<float> grad_parameters, GradientMode mode, View<float> grad_input,
                  MlpScratch&);

}  // namespace dsasrgs
