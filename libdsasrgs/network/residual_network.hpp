// SPDX-License-Identifier: Apache-2.0
#pragma once
// The super-resolution network: its layers over one array of parameters, forward and backward (docs/method.md, "The
// network").

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "convolve/convolve.hpp"
#include "dsasrgs/super_resolver.hpp"

namespace dsasrgs {

/// A convolution and where its parameters are.
struct NetworkLayer {
  std::string name;  ///< as in a network file
  int inputs = 0, outputs = 0;
  std::size_t weights_at = 0, bias_at = 0;  ///< first of [outputs, inputs, 3, 3] and of [outputs]
  std::size_t num_weights() const { return static_cast<std::size_t>(inputs) * static_cast<std::size_t>(outputs) * 9; }
  std::size_t num_biases() const { return static_cast<std::size_t>(outputs); }
};

/// Images that go through the network together.
struct NetworkBatch {
  int images = 1, width_px = 0, height_px = 0;  ///< measured pixels
  std::size_t pixels() const { return static_cast<std::size_t>(width_px) * static_cast<std::size_t>(height_px); }
  std::size_t size() const { return static_cast<std::size_t>(images) * pixels(); }
};

/// Memory of forward and backward, kept from call to call and sized as needed.
struct NetworkMemory {
  /// h = features[0], after block i features[i + 1], and h + conv(B_n) behind them; of a forward without backward only
  /// three, used in turn.
  std::vector<Buffer<float>> features;
  std::vector<Buffer<float>> inner;  ///< of each block, after its ReLU; one without backward
  Buffer<float> shuffled;
  Buffer<float> base;  ///< what the network adds to: U(x), or the render
  Buffer<float> grad_features, grad_first, grad_inner, grad_scaled, grad_shuffled;
  ConvolveScratch scratch;
};

class ResidualNetwork {
 public:
  explicit ResidualNetwork(const NetworkShape&);

  const NetworkShape& shape() const { return shape_; }
  /// First layer, two per block, the one after the blocks, the last.
  const std::vector<NetworkLayer>& layers() const { return layers_; }
  std::size_t num_parameters() const { return num_parameters_; }
  /// Channels of the output: the sharp image and, with_error, the logarithm of the expected error.
  int outputs() const { return shape_.with_error ? 2 : 1; }

  /// Weights and biases uniform within ±1/√(9·inputs) (PyTorch's default for a convolution), the last layer 0: the
  /// network starts as bicubic interpolation, and expects an error of e⁻⁴ = 0.018.
  std::vector<float> first_parameters(std::int64_t seed) const;

  /// output [N,outputs,sH,sW] ← image [N,inputs,H,W]: the measurement, and with reads_render the render as s² channels
  /// (render_channels.hpp). With `keep`, the memory holds what backward needs.
  void forward(Context&, View<const float> parameters, const NetworkBatch&, View<const float> image, bool keep,
               NetworkMemory&, View<float> output) const;
  /// Adds to grad_parameters, after a forward with `keep` on the same batch. grad_output [N,outputs,sH,sW].
  void backward(Context&, View<const float> parameters, const NetworkBatch&, View<const float> image,
                View<const float> grad_output, NetworkMemory&, View<float> grad_parameters) const;

 private:
  ConvolveInput input_of(std::size_t layer, View<const float> parameters, const NetworkBatch&, View<const float> image,
                         ConvolveActivation) const;

  NetworkShape shape_;
  std::vector<NetworkLayer> layers_;
  std::size_t num_parameters_ = 0;
};

}  // namespace dsasrgs
