// SPDX-License-Identifier: Apache-2.0
#include "network/network_file.hpp"

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <utility>

#include "common/plain_number.hpp"
#include "dsasrgs/error.hpp"
#include "files/hdf5_file.hpp"
#include "fnv1a.hpp"
#include "network/residual_network.hpp"

namespace dsasrgs {

namespace {

constexpr const char* kFormat = "dsasrgs.network";
constexpr int kVersion = 1;
constexpr const char* kArchitecture = "residual 3x3, bicubic base";
constexpr int kMaxScale = 8, kMaxChannels = 256, kMaxBlocks = 64;

struct NamedRange {
  const char* name;
  TrainedRange NetworkFacts::*range;
};
constexpr std::array<NamedRange, 3> kRanges{
    {{"noise", &NetworkFacts::noise}, {"contrast", &NetworkFacts::contrast}, {"sharpness", &NetworkFacts::sharpness}}};

std::string weights_of(const NetworkLayer& layer) { return "/layers/" + layer.name + "/weights"; }
std::string bias_of(const NetworkLayer& layer) { return "/layers/" + layer.name + "/bias"; }

/// A float16 dataset whose first axis goes over the layer's outputs.
void write_half(Hdf5Writer& file, const std::string& name, const Shape& shape, std::span<const float> values) {
  file.create<float>(name, shape, Hdf5Storage::plain, true);
  const std::size_t slab = values.size() / shape[0];
  for (std::size_t i = 0; i < shape[0]; ++i) file.write_slab<float>(name, i, values.subspan(i * slab, slab));
}

int read_count(const Hdf5Reader& file, const char* name, int least, int most) {
  const auto value = file.attribute<std::int64_t>("/", name);
  if (value < least || value > most)
    throw BadInput(file.name(), std::string("attribute ") + name, std::to_string(least) + " to " + std::to_string(most),
                   std::to_string(value));
  return static_cast<int>(value);
}

TrainedRange read_range(const Hdf5Reader& file, const char* name) {
  const auto ends = file.attribute_vector<double>("/", name, 2);
  if (!(ends[0] >= 0 && ends[0] <= ends[1] && std::isfinite(ends[1])))
    throw BadInput(file.name(), std::string("attribute ") + name, "two finite numbers of 0 or more, the smaller first",
                   plain_number(ends[0]) + ", " + plain_number(ends[1]));
  return {ends[0], ends[1]};
}

void append_finite(const Hdf5Reader& file, const std::string& name, const Shape& shape, std::vector<float>& values) {
  const std::vector<float> read = file.read<float>(name, shape);
  for (const float value : read)
    if (!std::isfinite(value)) throw BadInput(file.name(), name, "finite numbers", plain_number(value));
  values.insert(values.end(), read.begin(), read.end());
}

}  // namespace

std::string network_fingerprint(const NetworkShape& shape, const std::vector<float>& parameters) {
  Fnv1a f;
  for (const int n : {shape.scale, shape.channels, shape.blocks, shape.with_error ? 1 : 0, shape.reads_render ? 1 : 0})
    f.add(n);
  f.add(parameters);
  return f.text();
}

void write_network(const std::filesystem::path& path, NetworkFile network) {
  const ResidualNetwork layers(network.facts.shape);
  for (const NetworkLayer& layer : layers.layers())
    for (std::size_t i = layer.weights_at; i < layer.bias_at + layer.num_biases(); ++i) {
      float& value = network.parameters[i];
      const auto rounded = static_cast<float>(Eigen::half(value));
      if (!std::isfinite(rounded))
        throw NumericalError(path.string() + ": layer " + layer.name + ": expected weights that float16 holds, found " +
                             plain_number(value));
      value = rounded;
    }
  const NetworkFacts& facts = network.facts;
  Hdf5Writer file(path);
  file.set_format(kFormat, kVersion);
  file.attribute("/", "architecture", kArchitecture);
  file.attribute("/", "scale", facts.shape.scale);
  file.attribute("/", "channels", facts.shape.channels);
  file.attribute("/", "blocks", facts.shape.blocks);
  file.attribute("/", "with_error", facts.shape.with_error ? 1 : 0);
  file.attribute("/", "reads_render", facts.shape.reads_render ? 1 : 0);
  file.attribute("/", "name", std::string_view(facts.name));
  file.attribute("/", "trained_on", std::string_view(facts.trained_on));
  file.attribute("/", "training", std::string_view(facts.training));
  for (const NamedRange& r : kRanges)
    file.attribute("/", r.name, std::vector<double>{(facts.*r.range).low, (facts.*r.range).high});
  for (const NetworkLayer& layer : layers.layers()) {
    const auto outputs = static_cast<std::size_t>(layer.outputs), inputs = static_cast<std::size_t>(layer.inputs);
    const std::span<const float> all(network.parameters);
    write_half(file, weights_of(layer), {outputs, inputs, 3, 3}, all.subspan(layer.weights_at, layer.num_weights()));
    write_half(file, bias_of(layer), {outputs}, all.subspan(layer.bias_at, layer.num_biases()));
  }
  file.attribute("/", "fingerprint", std::string_view(network_fingerprint(facts.shape, network.parameters)));
  file.commit();
}

NetworkFile read_network(const std::filesystem::path& path) {
  const Hdf5Reader file(path);
  file.require_format(kFormat, kVersion);
  if (const auto found = file.attribute<std::string>("/", "architecture"); found != kArchitecture)
    throw BadInput(file.name(), "attribute architecture", kArchitecture, found);
  NetworkFile network;
  NetworkFacts& facts = network.facts;
  facts.shape.scale = read_count(file, "scale", 2, kMaxScale);
  facts.shape.channels = read_count(file, "channels", 1, kMaxChannels);
  facts.shape.blocks = read_count(file, "blocks", 0, kMaxBlocks);
  facts.shape.with_error = read_count(file, "with_error", 0, 1) == 1;
  facts.shape.reads_render = read_count(file, "reads_render", 0, 1) == 1;
  facts.name = file.attribute<std::string>("/", "name");
  facts.trained_on = file.attribute<std::string>("/", "trained_on");
  facts.training = file.attribute<std::string>("/", "training");
  for (const NamedRange& r : kRanges) facts.*r.range = read_range(file, r.name);
  const ResidualNetwork layers(facts.shape);
  for (const NetworkLayer& layer : layers.layers()) {  // one by one: the file may claim more than it holds
    const auto outputs = static_cast<std::size_t>(layer.outputs), inputs = static_cast<std::size_t>(layer.inputs);
    append_finite(file, weights_of(layer), {outputs, inputs, 3, 3}, network.parameters);
    append_finite(file, bias_of(layer), {outputs}, network.parameters);
  }
  facts.fingerprint = file.attribute<std::string>("/", "fingerprint");
  if (const std::string found = network_fingerprint(facts.shape, network.parameters); found != facts.fingerprint)
    throw BadInput(file.name(), "attribute fingerprint", found + ", that of the weights", facts.fingerprint);
  return network;
}

}  // namespace dsasrgs
