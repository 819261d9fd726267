// SPDX-License-Identifier: Apache-2.0
// Network files: what docs/data-format.md says of them, and hostile ones.
#include "network/network_file.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "files/hdf5_file.hpp"
#include "support/context.hpp"
#include "support/network_file.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::require_error;
using test::small_network;
using test::TemporaryFolder;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();

/// A file of a network with 2 channels and 1 block for scale 2, field by field as documented.
struct Parts {
  struct Layer {
    Shape shape;
    std::vector<float> weights, bias;
  };
  std::string format = "dsasrgs.network", architecture = "residual 3x3, bicubic base", fingerprint;
  int version = 1;
  std::map<std::string, std::int64_t> counts{
      {"scale", 2}, {"channels", 2}, {"blocks", 1}, {"with_error", 1}, {"reads_render", 0}};
  std::map<std::string, std::string> texts{{"name", "tiny"}, {"trained_on", "nothing"}, {"training", "steps = 1\n"}};
  std::map<std::string, std::vector<double>> ranges{
      {"noise", {0.01, 0.02}}, {"contrast", {0.5, 1}}, {"sharpness", {0, 0}}};
  std::vector<std::pair<std::string, Layer>> layers;

  Parts() {
    float next = 0.25f;
    for (const auto& [name, outputs, inputs] : {std::tuple<const char*, std::size_t, std::size_t>{"first", 2, 1},
                                                {"block_0_a", 2, 2},
                                                {"block_0_b", 2, 2},
                                                {"after_blocks", 2, 2},
                                                {"last", 8, 2}}) {
      Layer layer{{outputs, inputs, 3, 3}, {}, {}};
      for (std::size_t i = 0; i < outputs * inputs * 9; ++i) layer.weights.push_back(next += 0.125f);
      for (std::size_t i = 0; i < outputs; ++i) layer.bias.push_back(next = -next);
      layers.emplace_back(name, std::move(layer));
    }
    std::string bytes;
    const auto add = [&](const auto& value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof value); };
    for (const std::int32_t n : {2, 2, 1, 1, 0}) add(n);
    add(static_cast<std::uint64_t>(parameters().size()));
    for (const float p : parameters()) add(p);
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
    fingerprint = text;
  }
  std::vector<float> parameters() const {
    std::vector<float> all;
    for (const auto& [name, layer] : layers)
      for (const std::vector<float>* part : {&layer.weights, &layer.bias})
        all.insert(all.end(), part->begin(), part->end());
    return all;
  }
  Layer& layer(const std::string& name) {
    return std::find_if(layers.begin(), layers.end(), [&](const auto& l) { return l.first == name; })->second;
  }
  void write(const std::filesystem::path& path) const {
    Hdf5Writer file(path);
    file.set_format(format, version);
    if (!architecture.empty()) file.attribute("/", "architecture", std::string_view(architecture));
    for (const auto& [name, value] : counts) file.attribute("/", name, value);
    for (const auto& [name, value] : texts) file.attribute("/", name, std::string_view(value));
    for (const auto& [name, value] : ranges) file.attribute("/", name, value);
    for (const auto& [name, l] : layers) {
      file.write("/layers/" + name + "/weights", l.weights, l.shape);
      if (!l.bias.empty()) file.write("/layers/" + name + "/bias", l.bias, {l.bias.size()});
    }
    file.attribute("/", "fingerprint", std::string_view(fingerprint));
    file.commit();
  }
};

void require_refused(const std::function<void(Parts&)>& change, std::initializer_list<std::string_view> message) {
  const TemporaryFolder folder;
  Parts parts;
  change(parts);
  parts.write(folder / "network.h5");
  Context ctx = test::make_context();
  require_error<BadInput>([&] { SuperResolver::open(ctx, folder / "network.h5"); }, message);
  require_error<BadInput>([&] { SuperResolver::open(ctx, folder / "network.h5"); },
                          {"network.h5: ", "expected", "found"});
}

}  // namespace

TEST_CASE("network file: what was written comes back as float16 holds it", "[network]") {
  const TemporaryFolder folder;
  for (const NetworkShape& shape :
       {NetworkShape{2, 4, 2, true}, NetworkShape{3, 1, 0, false}, NetworkShape{2, 3, 1, true, true}}) {
    NetworkFile written = small_network(shape);
    write_network(folder / "network.h5", written);
    CHECK(folder.num_files() == 1);
    const NetworkFile read = read_network(folder / "network.h5");
    CHECK(read.facts.shape == shape);
    CHECK(read.facts.name == "small");
    CHECK(read.facts.trained_on == "random numbers");
    CHECK(read.facts.training == "seed = 4\n");
    CHECK((read.facts.noise.low == 0.002 && read.facts.noise.high == 0.02));
    CHECK((read.facts.contrast.low == 0.3 && read.facts.contrast.high == 1.2));
    CHECK((read.facts.sharpness.low == 0.05 && read.facts.sharpness.high == 0.4));
    REQUIRE(read.parameters.size() == written.parameters.size());
    for (std::size_t i = 0; i < read.parameters.size(); ++i)  // 11 digits
      REQUIRE(std::abs(read.parameters[i] - written.parameters[i]) <= std::abs(written.parameters[i]) / 2048 + 3e-8f);
    CHECK(read.parameters != written.parameters);
    CHECK(read.facts.fingerprint == network_fingerprint(shape, read.parameters));
    CHECK(Hdf5Reader(folder / "network.h5").element_type("/layers/last/weights") == ElementType::float16);
    // Rounded once it stays.
    write_network(folder / "again.h5", read);
    CHECK(test::read_bytes(folder / "again.h5") == test::read_bytes(folder / "network.h5"));
    std::filesystem::remove(folder / "again.h5");
  }
}

TEST_CASE("network file: the fingerprint is also of what the network reads", "[network]") {
  const std::vector<float> parameters(5, 0.5f);
  CHECK(network_fingerprint({2, 4, 2, true, false}, parameters) !=
        network_fingerprint({2, 4, 2, true, true}, parameters));
}

TEST_CASE("network file: one put together as documented is read", "[network]") {
  const TemporaryFolder folder;
  Parts parts;
  parts.write(folder / "network.h5");
  const NetworkFile file = read_network(folder / "network.h5");
  CHECK(file.facts.shape == NetworkShape{2, 2, 1, true});
  CHECK(file.facts.name == "tiny");
  CHECK(file.facts.noise.high == 0.02);
  CHECK(file.parameters == parts.parameters());
  CHECK(file.facts.fingerprint == parts.fingerprint);
}

TEST_CASE("network file: what it refuses, by name", "[network]") {
  require_refused([](Parts& p) { p.format = "dsasrgs.model"; }, {"format", "dsasrgs.network", "dsasrgs.model"});
  require_refused([](Parts& p) { p.version = 2; }, {"version", "expected 1", "found 2"});
  require_refused([](Parts& p) { p.architecture = "transformer"; },
                  {"attribute architecture", "residual 3x3, bicubic base", "found transformer"});
  require_refused([](Parts& p) { p.architecture = ""; }, {"architecture"});
  require_refused([](Parts& p) { p.counts["scale"] = 1; }, {"attribute scale: expected 2 to 8, found 1"});
  require_refused([](Parts& p) { p.counts["scale"] = 9; }, {"attribute scale: expected 2 to 8, found 9"});
  require_refused([](Parts& p) { p.counts["channels"] = 1 << 20; }, {"attribute channels: expected 1 to 256"});
  require_refused([](Parts& p) { p.counts["channels"] = std::int64_t{1} << 33; },
                  {"attribute channels: expected 1 to 256"});
  require_refused([](Parts& p) { p.counts["blocks"] = -1; }, {"attribute blocks: expected 0 to 64, found -1"});
  require_refused([](Parts& p) { p.counts["with_error"] = 2; }, {"attribute with_error: expected 0 to 1, found 2"});
  require_refused([](Parts& p) { p.counts["reads_render"] = 2; }, {"attribute reads_render: expected 0 to 1, found 2"});
  require_refused([](Parts& p) { p.counts["reads_render"] = 1; }, {"/layers/first/weights: ", "shape"});
  for (const char* name : {"scale", "channels", "blocks", "with_error", "reads_render"})
    require_refused([&](Parts& p) { p.counts.erase(name); }, {name});
  for (const char* name : {"name", "trained_on", "training"})
    require_refused([&](Parts& p) { p.texts.erase(name); }, {name});
  for (const char* name : {"noise", "contrast", "sharpness"}) {
    require_refused([&](Parts& p) { p.ranges.erase(name); }, {name});
    for (const std::vector<double>& bad :
         {std::vector<double>{0.5, kInfinity}, {kNaN, 1}, {0, kNaN}, {2, 1}, {-0.1, 1}, {0.5}, {0, 0.5, 1}})
      require_refused([&](Parts& p) { p.ranges[name] = bad; }, {name});
  }
  require_refused([](Parts& p) { p.layers.erase(p.layers.begin() + 2); }, {"/layers/block_0_b/weights"});
  require_refused([](Parts& p) { p.layer("last").bias.clear(); }, {"/layers/last/bias"});
  require_refused(
      [](Parts& p) {
        p.layer("block_0_a").shape = {2, 2, 9, 1};
      },
      {"/layers/block_0_a/weights: ", "shape"});
  require_refused([](Parts& p) { p.layer("first").bias.push_back(0); }, {"/layers/first/bias: ", "shape"});
  require_refused([](Parts& p) { p.counts["channels"] = 3; }, {"/layers/first/weights: ", "shape"});
  require_refused([](Parts& p) { p.counts["with_error"] = 0; }, {"/layers/last/weights: ", "shape"});
  require_refused([](Parts& p) { p.layer("after_blocks").weights[5] = static_cast<float>(kNaN); },
                  {"/layers/after_blocks/weights: expected finite numbers"});
  require_refused([](Parts& p) { p.layer("last").bias[7] = static_cast<float>(kInfinity); },
                  {"/layers/last/bias: expected finite numbers"});
  require_refused([](Parts& p) { p.layer("block_0_b").weights[0] += 0.125f; },
                  {"attribute fingerprint: expected ", "that of the weights"});
  require_refused([](Parts& p) { p.fingerprint = "0123456789abcdef"; }, {"found 0123456789abcdef"});
  // A block more in name only: neither ignored nor waited for.
  require_refused([](Parts& p) { p.counts["blocks"] = 64; }, {"/layers/block_1_a/weights"});
}

TEST_CASE("network file: one that is cut short, or not there, or none", "[network]") {
  const TemporaryFolder folder;
  Context ctx = test::make_context();
  write_network(folder / "network.h5", small_network());
  const std::string bytes = test::read_bytes(folder / "network.h5");
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, bytes.size() / 2, bytes.size() - 1}) {
    test::write_bytes(folder / "cut.h5", bytes.substr(0, size));
    require_error<Error>([&] { SuperResolver::open(ctx, folder / "cut.h5"); }, {"cut.h5"});
  }
  require_error<IoError>([&] { SuperResolver::open(ctx, folder / "none.h5"); }, {"none.h5"});
  require_error<IoError>([&] { write_network(folder / "none/network.h5", small_network()); }, {"none/network.h5"});
  // Wherever a byte of the weights is another, it is noticed.
  const std::size_t begin = bytes.size() / 2;
  for (std::size_t at = begin; at < bytes.size(); at += bytes.size() / 16) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x40);
    test::write_bytes(folder / "changed.h5", changed);
    try {
      const NetworkFile read = read_network(folder / "changed.h5");
      CHECK(read.parameters == read_network(folder / "network.h5").parameters);  // a byte that says nothing
    } catch (const Error&) {
    }
  }
}

TEST_CASE("network file: a weight that float16 does not hold is not written", "[network]") {
  const TemporaryFolder folder;
  for (const float value : {70000.0f, -70000.0f, static_cast<float>(kNaN)}) {
    NetworkFile file = small_network();
    file.parameters[45] = value;  // 36 weights and 4 biases of the first layer are before it
    require_error<NumericalError>([&] { write_network(folder / "network.h5", file); },
                                  {"network.h5: layer block_0_a: expected weights that float16 holds"});
    CHECK(folder.num_files() == 0);
  }
}
