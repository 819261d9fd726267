// SPDX-License-Identifier: Apache-2.0
#include "files/io_model.hpp"

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "files/io_pose_correction.hpp"
#include "files/model_check.hpp"
#include "model_parameters.hpp"

namespace dsasrgs {

namespace {

constexpr int kModelVersion = 1;

RefuseField refuse_input(const Hdf5Reader& file) {
  return [name = file.name()](const std::string& field, const std::string& expected, const std::string& found) {
    throw BadInput(name, field, expected, found);
  };
}

/// What could be written but not read again. E is the error's type.
template <class E>
RefuseField refuse_to_write() {
  return [](const std::string& field, const std::string& expected, const std::string& found) {
    throw E("write_model: " + field + ": expected " + expected + ", found " + found);
  };
}

std::vector<float> read_finite(const Hdf5Reader& file, const std::string& name, const Shape& shape) {
  std::vector<float> values = file.read<float>(name, shape);
  check_finite(name, values, refuse_input(file));
  return values;
}

std::vector<float> read_parameter(const Hdf5Reader& file, const ParameterInfo& p, const Shape& shape) {
  std::vector<float> values = file.read<float>(p.path, shape);
  check_parameter(p, values, refuse_input(file));
  return values;
}

Vec3d read_vec3(const Hdf5Reader& file, const std::string& object, const std::string& attribute) {
  const auto v = file.attribute_vector<double>(object, attribute, 3);
  return {v[0], v[1], v[2]};
}

float read_positive(const Hdf5Reader& file, const std::string& object, const std::string& attribute) {
  const auto v = static_cast<float>(file.attribute<double>(object, attribute));
  check_positive(object + "@" + attribute, static_cast<double>(v), refuse_input(file));
  return v;
}

VolumeGrid read_volume_grid(const Hdf5Reader& file) {
  const auto size = file.attribute_vector<std::int32_t>("/volume", "size", 3);
  const VolumeGrid grid{size[0], size[1], size[2], read_vec3(file, "/volume", "spacing_mm"),
                        read_vec3(file, "/volume", "origin_mm")};
  check_grid(grid, refuse_input(file));
  return grid;
}

Detector read_detector(const Hdf5Reader& file) {
  const auto size = file.attribute_vector<std::int32_t>("/detector", "size", 2);
  const auto pitch = file.attribute_vector<double>("/detector", "pixel_pitch_mm", 2);
  const Detector detector{size[0], size[1], pitch[0], pitch[1]};
  check_detector(detector, refuse_input(file));
  return detector;
}

/// Shared arrays have the sizes of the field's configuration.
void read_parameters(Context& ctx, const Hdf5Reader& file, GaussianCloud& cloud, AttenuationField& field) {
  std::size_t gaussians = kAnyExtent;  // until the first array says how many
  for (const ParameterInfo& p : kParameters) {
    Buffer<float>& value = p.value(cloud, field);
    const bool shared = p.per_gaussian == nullptr;
    const auto width = static_cast<std::size_t>(shared ? 0 : p.width(field));
    value =
        Buffer<float>::from_host(ctx, read_parameter(file, p, shared ? Shape{value.size()} : Shape{gaussians, width}));
    if (!shared && gaussians == kAnyExtent) gaussians = value.size() / width;
  }
  cloud.bounds = {read_positive(file, "/gaussians", "scale_min_mm"), read_positive(file, "/gaussians", "scale_max_mm")};
  check_scale_bounds(cloud.bounds, refuse_input(file));
}

}  // namespace

void write_model_groups(Context& ctx, Hdf5Writer& file, const Model& model) {
  check_model(model, refuse_to_write<InvalidArgument>());
  const std::size_t n = model.cloud.size();
  file.attribute("/", "config", std::string_view(model.config_toml));
  for (const ParameterInfo& p : kParameters) {
    const Buffer<float>& value = p.value(model.cloud, model.field);
    const bool shared = p.per_gaussian == nullptr;
    const std::vector<float> host = value.to_host(ctx);
    check_parameter(p, host, refuse_to_write<NumericalError>());
    file.write(p.path, host, shared ? Shape{value.size()} : Shape{n, static_cast<std::size_t>(p.width(model.field))});
  }
  file.attribute("/gaussians", "scale_min_mm", static_cast<double>(model.cloud.bounds.min_mm));
  file.attribute("/gaussians", "scale_max_mm", static_cast<double>(model.cloud.bounds.max_mm));
  file.attribute("/field", "density_scale_per_mm", static_cast<double>(model.field.density_scale_per_mm()));

  const VolumeGrid& g = model.volume;
  file.group("/volume");
  file.attribute("/volume", "size", std::vector<std::int64_t>{g.size_x, g.size_y, g.size_z});
  file.attribute("/volume", "spacing_mm", std::vector<double>{g.spacing_mm.x, g.spacing_mm.y, g.spacing_mm.z});
  file.attribute("/volume", "origin_mm", std::vector<double>{g.origin_mm.x, g.origin_mm.y, g.origin_mm.z});
  file.group("/time");
  file.attribute("/time", "first_s", model.time.first_s);
  file.attribute("/time", "last_s", model.time.last_s);
  file.group("/detector");
  file.attribute("/detector", "size", std::vector<std::int64_t>{model.detector.width_px, model.detector.height_px});
  file.attribute("/detector", "pixel_pitch_mm",
                 std::vector<double>{model.detector.pitch_u_mm, model.detector.pitch_v_mm});
  file.attribute("/detector", "pixel_footprint", model.pixel_footprint ? 1 : 0);
  const std::size_t views = model.nuisance.view.size();
  file.write("/nuisance/view", std::vector<std::int32_t>(model.nuisance.view.begin(), model.nuisance.view.end()),
             {views});
  file.write("/nuisance/gain", model.nuisance.gain, {views});
  file.write("/nuisance/offset", model.nuisance.offset, {views});
  write_pose_correction(file, model.pose_correction);
  if (!model.measurement.empty()) file.attribute("/", "measurement", model.measurement);
  if (!model.test_views.empty()) file.write("/test_views", model.test_views, {model.test_views.size()});
}

Model read_model_groups(Context& ctx, const Hdf5Reader& file) {
  const auto toml = file.attribute<std::string>("/", "config");
  const Config config = config_from_toml(toml, file.name() + " (attribute config)");
  const VolumeGrid grid = read_volume_grid(file);
  AttenuationField field(ctx, config.field, grid, config.training.seed);
  field.set_density_scale_per_mm(read_positive(file, "/field", "density_scale_per_mm"));
  GaussianCloud cloud;
  read_parameters(ctx, file, cloud, field);
  Model model{std::move(cloud), std::move(field), grid, {}, read_detector(file), false, {}, toml};
  model.time = {file.attribute<double>("/time", "first_s"), file.attribute<double>("/time", "last_s")};
  check_time(model.time, refuse_input(file));
  model.pixel_footprint = file.attribute<std::int32_t>("/detector", "pixel_footprint") != 0;
  const auto views = file.read<std::int32_t>("/nuisance/view", {kAnyExtent});
  model.nuisance.view.assign(views.begin(), views.end());
  model.nuisance.gain = read_finite(file, "/nuisance/gain", {views.size()});
  model.nuisance.offset = read_finite(file, "/nuisance/offset", {views.size()});
  if (file.has_attribute("/", "measurement")) model.measurement = file.attribute<std::string>("/", "measurement");
  if (file.has("/test_views")) {
    const auto test = file.read<std::int32_t>("/test_views", {kAnyExtent});
    model.test_views.assign(test.begin(), test.end());
  }
  check_model_views(model.nuisance.view, model.test_views, refuse_input(file));
  model.pose_correction = read_pose_correction(file, refuse_input(file));
  check_pose_correction(model.pose_correction, model.nuisance.view, refuse_input(file));
  return model;
}

void write_model(Context& ctx, const std::filesystem::path& path, const Model& model) try {
  Hdf5Writer file(path);
  file.set_format("dsasrgs.model", kModelVersion);
  write_model_groups(ctx, file, model);
  file.commit();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

Model read_model(Context& ctx, const std::filesystem::path& path) try {
  const Hdf5Reader file(path);
  file.require_format("dsasrgs.model", kModelVersion);
  return read_model_groups(ctx, file);
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
