// SPDX-License-Identifier: Apache-2.0
#include "files/model_check.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/checks.hpp"
#include "common/plain_number.hpp"
#include "dsasrgs/config.hpp"
#include "dsasrgs/error.hpp"
#include "field_shapes.hpp"
#include "files/io_pose_correction.hpp"
#include "model_parameters.hpp"

namespace dsasrgs {

namespace {

void check_ascending(const char* field, const std::vector<int>& views, const RefuseField& refuse) {
  for (std::size_t i = 0; i < views.size(); ++i) {
    const std::string item = std::string(field) + "[" + std::to_string(i) + "]";
    if (views[i] < 0) refuse(item, "a view of 0 or more", std::to_string(views[i]));
    if (i > 0 && views[i] <= views[i - 1])
      refuse(item, "views in ascending order, each once",
             std::to_string(views[i]) + " after " + std::to_string(views[i - 1]));
  }
}

/// Elements of a parameter array of a model with this field and this many Gaussians.
std::size_t parameter_size(const ParameterInfo& p, const Model& model) {
  if (p.per_gaussian != nullptr) return model.cloud.size() * static_cast<std::size_t>(p.width(model.field));
  return shared_parameter_size(p.id, model.field.config());
}

/// The file keeps the field's configuration only as a part of the text.
void check_config(const Model& model, const RefuseField& refuse) {
  Config config;
  try {
    config = config_from_toml(model.config_toml, "config");
  } catch (const BadInput& e) {
    refuse("/@config", "a configuration", e.what());
  }
  Config of_field = config;
  of_field.field = model.field.config();
  if (to_toml(of_field) != to_toml(config))
    refuse("/@config", "the configuration that the field was made with", "another in its section [field]");
}

}  // namespace

std::size_t shared_parameter_size(Parameter id, const FieldConfig& field) {
  if (field.kind != AttenuationKind::neural) return 0;
  if (id == Parameter::table3d) return hash_grid_num_parameters(grid3d_shape(field));
  if (id == Parameter::table4d) return hash_grid_num_parameters(grid4d_shape(field));
  return mlp_num_parameters(network_shape(field));
}

void check_finite(const std::string& field, std::span<const float> values, const RefuseField& refuse) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      refuse(field, "finite numbers", plain_number(values[i]) + " at element " + std::to_string(i));
}

void check_parameter(const ParameterInfo& p, std::span<const float> values, const RefuseField& refuse) {
  check_finite(p.path, values, refuse);
  if (p.id != Parameter::rotation) return;
  for (std::size_t i = 0; i + 4 <= values.size(); i += 4)
    if (values[i] == 0 && values[i + 1] == 0 && values[i + 2] == 0 && values[i + 3] == 0)
      refuse(p.path, "quaternions, which are not zero", "zero at row " + std::to_string(i / 4));
}

void check_positive(const std::string& field, double value, const RefuseField& refuse) {
  if (!(value > 0 && std::isfinite(value))) refuse(field, "a positive finite number", plain_number(value));
}

void check_grid(const VolumeGrid& grid, const RefuseField& refuse) {
  if (grid.size_x < 1 || grid.size_y < 1 || grid.size_z < 1)
    refuse("/volume@size", "three positive integers", "a size of 0 or less");
  const Vec3d s = grid.spacing_mm, o = grid.origin_mm;
  for (const double x : {s.x, s.y, s.z})
    if (!is_length(x)) refuse("/volume@spacing_mm", "1e-6 to 1e9 mm", plain_number(x));
  for (const double x : {o.x, o.y, o.z})
    if (!is_position({x, 0, 0})) refuse("/volume@origin_mm", "numbers within 1e9 mm", plain_number(x));
}

void check_detector(const Detector& d, const RefuseField& refuse) {
  if (d.width_px < 1 || d.height_px < 1) refuse("/detector@size", "two positive integers", "a size of 0 or less");
  for (const double pitch : {d.pitch_u_mm, d.pitch_v_mm})
    if (!is_length(pitch)) refuse("/detector@pixel_pitch_mm", "1e-6 to 1e9 mm", plain_number(pitch));
}

void check_time(const TimeRange& time, const RefuseField& refuse) {
  if (!is_time(time.first_s)) refuse("/time@first_s", "a time within 1e9 s", plain_number(time.first_s));
  if (!is_time(time.last_s)) refuse("/time@last_s", "a time within 1e9 s", plain_number(time.last_s));
  if (time.last_s < time.first_s)
    refuse("/time@last_s", "not before first_s " + plain_number(time.first_s), plain_number(time.last_s));
}

void check_scale_bounds(ScaleBounds bounds, const RefuseField& refuse) {
  check_positive("/gaussians@scale_min_mm", static_cast<double>(bounds.min_mm), refuse);
  check_positive("/gaussians@scale_max_mm", static_cast<double>(bounds.max_mm), refuse);
  if (!(bounds.max_mm > bounds.min_mm))
    refuse("/gaussians@scale_max_mm", "more than scale_min_mm " + plain_number(bounds.min_mm),
           plain_number(bounds.max_mm));
}

void check_model_views(const std::vector<int>& trained, const std::vector<int>& test, const RefuseField& refuse) {
  check_ascending("/nuisance/view", trained, refuse);
  check_ascending("/test_views", test, refuse);
  for (const int v : test)
    if (std::binary_search(trained.begin(), trained.end(), v))
      refuse("/test_views", "views that are not in /nuisance/view", std::to_string(v) + " in both");
}

void check_model(const Model& model, const RefuseField& refuse) {
  check_config(model, refuse);
  check_grid(model.volume, refuse);
  if (!(model.volume == model.field.box())) refuse("/volume", "the box that the field is defined on", "another grid");
  check_detector(model.detector, refuse);
  check_time(model.time, refuse);
  check_scale_bounds(model.cloud.bounds, refuse);
  check_positive("/field@density_scale_per_mm", static_cast<double>(model.field.density_scale_per_mm()), refuse);
  for (const ParameterInfo& p : kParameters) {
    const std::size_t expected = parameter_size(p, model), found = p.value(model.cloud, model.field).size();
    if (found != expected) refuse(p.path, std::to_string(expected) + " values", std::to_string(found));
  }
  const ViewNuisance& nuisance = model.nuisance;
  for (const auto& [field, values] :
       {std::pair{"/nuisance/gain", &nuisance.gain}, {"/nuisance/offset", &nuisance.offset}}) {
    if (values->size() != nuisance.view.size())
      refuse(field, std::to_string(nuisance.view.size()) + " values, one per view", std::to_string(values->size()));
    check_finite(field, *values, refuse);
  }
  check_model_views(nuisance.view, model.test_views, refuse);
  check_pose_correction(model.pose_correction, nuisance.view, refuse);
}

}  // namespace dsasrgs
