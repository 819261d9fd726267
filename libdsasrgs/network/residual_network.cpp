// SPDX-License-Identifier: Apache-2.0
#include "network/residual_network.hpp"

#include <cmath>

#include "common/random.hpp"
#include "elementwise/elementwise.hpp"
#include "resample/resample.hpp"

namespace dsasrgs {

namespace {

constexpr float kResidualWeight = 0.2f;  // of B(y) = y + 0.2·conv(ReLU(conv(y)))
constexpr float kFirstLogError = -4;
constexpr auto kNone = ConvolveActivation::none, kRelu = ConvolveActivation::relu;

/// Image n of [N,channels,…], its first channel.
template <class T>
View<T> first_channel(View<T> batch, int image, int channels, std::size_t pixels) {
  return batch.subview(static_cast<std::size_t>(image) * static_cast<std::size_t>(channels) * pixels, pixels);
}

}  // namespace

std::size_t NetworkShape::num_parameters() const { return ResidualNetwork(*this).num_parameters(); }

ResidualNetwork::ResidualNetwork(const NetworkShape& shape) : shape_(shape) {
  const auto add = [&](std::string name, int inputs, int outputs) {
    NetworkLayer layer{std::move(name), inputs, outputs, num_parameters_, 0};
    layer.bias_at = layer.weights_at + layer.num_weights();
    num_parameters_ = layer.bias_at + layer.num_biases();
    layers_.push_back(std::move(layer));
  };
  const int c = shape.channels;
  add("first", shape.inputs(), c);
  for (int block = 0; block < shape.blocks; ++block)
    for (const char* half : {"_a", "_b"}) add("block_" + std::to_string(block) + half, c, c);
  add("after_blocks", c, c);
  add("last", c, outputs() * shape.scale * shape.scale);
}

std::vector<float> ResidualNetwork::first_parameters(std::int64_t seed) const {
  std::vector<float> parameters = host_vector<float>(num_parameters_);
  const NetworkLayer& last = layers_.back();
  for (const NetworkLayer& layer : layers_) {
    if (&layer == &last) break;
    const float bound = 1 / std::sqrt(9 * static_cast<float>(layer.inputs));
    for (std::size_t i = layer.weights_at; i < layer.bias_at + layer.num_biases(); ++i) {
      const Uniform4 u = random_uniform4(static_cast<std::uint64_t>(seed), RandomStream::network_weights, i / 4, 0);
      parameters[i] = bound * (2 * u.u[i % 4] - 1);
    }
  }
  if (shape_.with_error)
    for (std::size_t o = last.num_biases() / 2; o < last.num_biases(); ++o)
      parameters[last.bias_at + o] = kFirstLogError;
  return parameters;
}

ConvolveInput ResidualNetwork::input_of(std::size_t index, View<const float> parameters, const NetworkBatch& batch,
                                        View<const float> image, ConvolveActivation activation) const {
  const NetworkLayer& layer = layers_[index];
  ConvolveShape shape;
  shape.images = batch.images;
  shape.inputs = layer.inputs;
  shape.outputs = layer.outputs;
  shape.width_px = batch.width_px;
  shape.height_px = batch.height_px;
  shape.activation = activation;
  return {shape, parameters.subview(layer.weights_at, layer.num_weights()),
          parameters.subview(layer.bias_at, layer.num_biases()), image};
}

void ResidualNetwork::forward(Context& ctx, View<const float> parameters, const NetworkBatch& batch,
                              View<const float> image, bool keep, NetworkMemory& memory, View<float> output) const {
  const auto n = static_cast<std::size_t>(shape_.blocks);
  const std::size_t features = batch.size() * static_cast<std::size_t>(shape_.channels);
  memory.features.resize(keep ? n + 2 : 3);
  memory.inner.resize(keep ? n : 1);
  // Without backward the first stays, the others take turns.
  const auto features_at = [&](std::size_t i) -> Buffer<float>& {
    Buffer<float>& found = memory.features[keep || i == 0 ? i : 1 + i % 2];
    found.resize(ctx, features);
    return found;
  };
  convolve_forward(ctx, input_of(0, parameters, batch, image, kNone), features_at(0));
  for (std::size_t block = 0; block < n; ++block) {
    const Buffer<float>& in = features_at(block);
    Buffer<float>& out = features_at(block + 1);
    Buffer<float>& inner = memory.inner[keep ? block : 0];
    inner.resize(ctx, features);
    convolve_forward(ctx, input_of(1 + 2 * block, parameters, batch, in, kRelu), inner);
    convolve_forward(ctx, input_of(2 + 2 * block, parameters, batch, inner, kNone), out);
    scale_values(ctx, kResidualWeight, out, out);
    add_scaled(ctx, 1, in, out);
  }
  Buffer<float>& sum = features_at(n + 1);
  convolve_forward(ctx, input_of(2 * n + 1, parameters, batch, features_at(n), kNone), sum);
  add_scaled(ctx, 1, features_at(0), sum);

  const NetworkLayer& last = layers_.back();
  memory.shuffled.resize(ctx, batch.size() * static_cast<std::size_t>(last.outputs));
  convolve_forward(ctx, input_of(2 * n + 2, parameters, batch, sum, kNone), memory.shuffled);
  pixel_shuffle(ctx, {batch.images, outputs(), batch.width_px, batch.height_px, shape_.scale}, memory.shuffled, output);
  const std::size_t fine =
      batch.pixels() * static_cast<std::size_t>(shape_.scale) * static_cast<std::size_t>(shape_.scale);
  memory.base.resize(ctx, fine);
  for (int i = 0; i < batch.images; ++i) {
    const View<const float> measured = first_channel(image, i, shape_.inputs(), batch.pixels());
    if (shape_.reads_render)  // behind the measurement
      pixel_shuffle(ctx, {1, 1, batch.width_px, batch.height_px, shape_.scale}, {measured.end(), fine}, memory.base);
    else
      upsample_bicubic(ctx, {batch.width_px, batch.height_px, shape_.scale}, measured, memory.base);
    add_scaled(ctx, 1, memory.base, first_channel(output, i, outputs(), fine));
  }
}

void ResidualNetwork::backward(Context& ctx, View<const float> parameters, const NetworkBatch& batch,
                               View<const float> image, View<const float> grad_output, NetworkMemory& memory,
                               View<float> grad_parameters) const {
  const auto n = static_cast<std::size_t>(shape_.blocks);
  const std::size_t features = batch.size() * static_cast<std::size_t>(shape_.channels);
  for (Buffer<float>* b : {&memory.grad_features, &memory.grad_first, &memory.grad_inner, &memory.grad_scaled})
    b->resize(ctx, features);
  const auto through = [&](std::size_t index, View<const float> in, ConvolveActivation activation,
                           View<const float> out, View<const float> grad_out, View<float> grad_in, GradientMode mode) {
    const NetworkLayer& layer = layers_[index];
    convolve_backward(ctx, input_of(index, parameters, batch, in, activation), out, grad_out,
                      {grad_in, grad_parameters.subview(layer.weights_at, layer.num_weights()),
                       grad_parameters.subview(layer.bias_at, layer.num_biases()), mode},
                      memory.scratch);
  };
  constexpr auto kOverwrite = GradientMode::overwrite, kAccumulate = GradientMode::accumulate;
  memory.grad_shuffled.resize(ctx, memory.shuffled.size());
  pixel_shuffle_adjoint(ctx, {batch.images, outputs(), batch.width_px, batch.height_px, shape_.scale}, grad_output,
                        kOverwrite, memory.grad_shuffled);
  // grad_first is that of h + conv(B_n), thus also of h on its shorter way.
  through(2 * n + 2, memory.features[n + 1], kNone, {}, memory.grad_shuffled, memory.grad_first, kOverwrite);
  through(2 * n + 1, memory.features[n], kNone, {}, memory.grad_first, memory.grad_features, kOverwrite);
  for (std::size_t block = n; block-- > 0;) {
    scale_values(ctx, kResidualWeight, memory.grad_features, memory.grad_scaled);
    through(2 + 2 * block, memory.inner[block], kNone, {}, memory.grad_scaled, memory.grad_inner, kOverwrite);
    through(1 + 2 * block, memory.features[block], kRelu, memory.inner[block], memory.grad_inner, memory.grad_features,
            kAccumulate);
  }
  add_scaled(ctx, 1, memory.grad_first, memory.grad_features);
  through(0, image, kNone, {}, memory.grad_features, {}, kOverwrite);
}

}  // namespace dsasrgs
