// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "dsasrgs/error.hpp"
#include "files/hdf5_file.hpp"
#include "fnv1a.hpp"
#include "network/network_training.hpp"

namespace dsasrgs {

namespace {

constexpr const char* kCheckpointFormat = "dsasrgs.network_checkpoint";
constexpr int kCheckpointVersion = 1;

void add_text(Fnv1a& f, const std::string& text) {
  f.add(text.size());
  f.add_bytes(text.data(), text.size());
}

}  // namespace

void write_network_checkpoint(const std::filesystem::path& path, const NetworkTraining& t) {
  Hdf5Writer file(path);
  file.set_format(kCheckpointFormat, kCheckpointVersion);
  file.attribute("/", "training", std::string_view(to_toml(t.config)));
  file.attribute("/", "step", t.step);
  file.attribute("/", "started", std::string_view(t.started));
  file.attribute("/", "sources", std::string_view(t.sources));
  file.write("/parameters", t.parameters, {t.parameters.size()});
  file.write("/first_moment", t.first_moment, {t.first_moment.size()});
  file.write("/second_moment", t.second_moment, {t.second_moment.size()});
  std::vector<double> traits;
  for (const ImageTraits& i : t.traits) traits.insert(traits.end(), {i.noise, i.contrast, i.sharpness});
  file.write("/traits", traits, {t.traits.size(), 3});
  file.commit();
}

NetworkTraining read_network_checkpoint(const std::filesystem::path& path) {
  const Hdf5Reader file(path);
  file.require_format(kCheckpointFormat, kCheckpointVersion);
  NetworkTraining t;
  t.config =
      network_training_from_toml(file.attribute<std::string>("/", "training"), file.name() + " (attribute training)");
  t.step = file.attribute<std::int32_t>("/", "step");
  if (t.step < 0 || t.step > t.config.steps)
    throw BadInput(file.name(), "attribute step", "0 to " + std::to_string(t.config.steps), std::to_string(t.step));
  t.started = file.attribute<std::string>("/", "started");
  t.sources = file.attribute<std::string>("/", "sources");
  const auto read = [&](const char* name) {
    std::vector<float> values = file.read<float>(name, {t.config.shape.num_parameters()});
    for (const float value : values)
      if (!std::isfinite(value)) throw BadInput(file.name(), name, "finite numbers", std::to_string(value));
    return values;
  };
  t.parameters = read("/parameters");
  t.first_moment = read("/first_moment");
  t.second_moment = read("/second_moment");
  const std::vector<double> traits = file.read<double>("/traits", {kAnyExtent, 3});
  for (const double trait : traits)
    if (!(trait >= 0 && std::isfinite(trait)))
      throw BadInput(file.name(), "/traits", "finite numbers of 0 or more", std::to_string(trait));
  for (std::size_t i = 0; i + 2 < traits.size(); i += 3) t.traits.push_back({traits[i], traits[i + 1], traits[i + 2]});
  return t;
}

std::string sources_fingerprint(const NetworkSources& sources) {
  Fnv1a f;
  const auto add_head = [&f](const auto& source) {
    add_text(f, source.name);
    f.add(source.share);
    f.add(source.held_out ? 1 : 0);
  };
  const auto add_image = [&f](const Image& image) {
    f.add(image.width_px);
    f.add(image.values);
  };
  for (const NetworkImages& s : sources.images) {
    add_head(s);
    f.add(s.binnings);
    for (const Image& image : s.images) add_image(image);
  }
  for (const NetworkVessels& s : sources.vessels) {
    add_head(s);
    for (const VesselNode& node : s.tree.nodes) {
      f.add(node.position_mm);
      f.add(node.radius_mm);
      f.add(node.parent);
    }
  }
  for (const NetworkRenders& s : sources.renders) {
    add_head(s);
    for (const RenderedView& view : s.views)
      for (const Image* image : {&view.measured, &view.rendered, &view.truth}) add_image(*image);
  }
  return f.text();
}

}  // namespace dsasrgs
