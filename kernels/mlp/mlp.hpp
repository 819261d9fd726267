// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// The small fully connected network Φ of the attenuation field: ReLU hidden layers, one output that is not negative.
///
/// Its formulas are few (mlp_math.hpp: activations, the layers' places, bfloat16) and shared; the matrix products
/// around them are four texts, since what makes each fast is its own order of loops and memory:
///   - mlp_product-inl.hpp: the CPU's, in SIMD registers; fp32, or bf16's factors in fp32;
///   - mlp_split_tile.cuh over split_step.cuh: CUDA fp32, on tensor cores, three TF32 products for one;
///   - mlp_tile.cuh (FloatTile): CUDA fp32 before compute capability 8.0, in registers of a thread;
///   - mlp_matrix_tile.cuh over matrix_step.cuh: CUDA bf16, on tensor cores.
/// tests/kernels/mlp_test.cpp holds each of them against the oracle in double (tests/oracle/mlp_oracle.hpp, itself
/// against central differences) and the CUDA ones against the CPU's in the same precision.

#include <cstddef>

#include "common/gradient.hpp"
#include "dsasrgs/buffer.hpp"

namespace dsasrgs {

/// Of the hidden layers; sums, biases and the output layer are always fp32.
enum class MlpPrecision {
  /// CUDA multiplies on tensor cores (compute capability 8.0 or later), where a product is off by 2⁻²¹ of it at most.
  fp32,
  /// What enters a hidden layer's products is rounded to bfloat16, to nearest even: inputs, weights, hidden units and
  /// their gradients. CUDA multiplies on tensor cores (compute capability 8.0 or later). The CPU rounds the same
  /// numbers and computes in fp32, so it gains no speed, and agrees with CUDA to 3e-4 of a gradient's norm: a sum may
  /// be rounded to its other neighbour. Against fp32, on random networks: outputs to about 4e-3, gradients to about
  /// 6e-2, because hidden units close to zero change sides.
  bf16,
};

/// σ, what the one output goes through.
enum class OutputActivation {
  relu,     ///< max(z, 0): an output that is negative for every point has no gradient left
  softplus  ///< ln(1 + e^(k·z)) / k, k the sharpness: positive everywhere, and so is its derivative; ReLU for k → ∞
};

inline constexpr float kMlpMaxSharpness = 1e6f;

struct MlpShape {
  int inputs = 48;
  int width = 64;
  int hidden_layers = 2;  ///< at least 1; inputs → width → … → width → 1
  MlpPrecision precision = MlpPrecision::fp32;
  OutputActivation output = OutputActivation::relu;
  float sharpness = 1;  ///< k of `softplus`
};

/// Floats in the parameter vector: for each layer the weights [out, in] row-major, then the biases [out].
std::size_t mlp_num_parameters(const MlpShape&);

/// Whether a network of these sizes can run in bf16: its hidden layers and all their weights must fit 96 KiB of a
/// multiprocessor's shared memory. 48 → 64 → … → 64 → 1 may have up to 4 hidden layers, 48 → 128 → 1 just one.
bool mlp_fits_bf16(const MlpShape&);

struct MlpInput {
  MlpShape shape;
  View<const float> parameters;  ///< [mlp_num_parameters]
  View<const float> features;    ///< [inputs, N] feature-major
  float gain = 1;                ///< the output's factor
};

/// output [N], overwritten: y = gain · σ(W_L relu(… relu(W_1 x + b_1) …) + b_L) (DSA-SRGS eq. 1, where σ is relu).
/// Deterministic. N = 0: nothing. Throws InvalidArgument when sizes disagree, a shape entry is not positive (inputs and
/// width at most 256, hidden_layers at most 64; sharpness at most 1e6) or a bf16 network does not fit.
void mlp_forward(Context&, const MlpInput&, View<float> output);

struct MlpGradient {
  View<float> parameters;  ///< as the parameters; always accumulated into
  View<float> features;    ///< as the features; an empty view is skipped
  GradientMode features_mode = GradientMode::overwrite;
};

/// Memory the CUDA backend keeps between backward calls, so that a repeated call allocates nothing; grown as needed.
/// The CPU leaves it empty.
struct MlpScratch {
  Buffer<float> partial;  ///< parameter gradients of each block
  Buffer<float> hidden;   ///< hidden layers that do not fit a multiprocessor's shared memory
};

/// VJP; the hidden layers are recomputed in blocks, nothing is saved. grad_output [N]. The derivative of ReLU at 0 is
/// 0. Parameter gradients are summed over a fixed partition of the points: bit-identical for any thread count. Throws
/// as mlp_forward does.
void mlp_backward(Context&, const MlpInput&, View<const float> grad_output, const MlpGradient&, MlpScratch&);

}  // namespace dsasrgs
