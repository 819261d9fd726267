// SPDX-License-Identifier: Apache-2.0
#include "files/gaussian_ply.hpp"

#include <initializer_list>
#include <string_view>

#include "number_text.hpp"

namespace dsasrgs {

namespace {

std::string number_list(std::initializer_list<double> values) {
  std::string text;
  for (const double v : values) text.append(" ").append(number_text(v));
  return text;
}

}  // namespace

std::vector<std::string> gaussian_ply_comments(const GaussianPlyFacts& f) {
  const VolumeGrid& g = f.volume;
  const Detector& d = f.detector;
  std::vector<std::string> lines{
      "scale_bounds_mm" + number_list({static_cast<double>(f.bounds.min_mm), static_cast<double>(f.bounds.max_mm)}),
      "density_scale_per_mm" + number_list({static_cast<double>(f.density_scale_per_mm)}),
      "volume_size " + std::to_string(g.size_x) + " " + std::to_string(g.size_y) + " " + std::to_string(g.size_z),
      "volume_spacing_mm" + number_list({g.spacing_mm.x, g.spacing_mm.y, g.spacing_mm.z}),
      "volume_origin_mm" + number_list({g.origin_mm.x, g.origin_mm.y, g.origin_mm.z}),
      "time_s" + number_list({f.time.first_s, f.time.last_s}),
      "detector_size " + std::to_string(d.width_px) + " " + std::to_string(d.height_px),
      "pixel_pitch_mm" + number_list({d.pitch_u_mm, d.pitch_v_mm}),
      std::string("pixel_footprint ") + (f.pixel_footprint ? "1" : "0"),
      "measurement " + f.measurement};
  for (std::size_t start = 0;;) {
    const std::size_t end = f.config_toml.find('\n', start);
    lines.push_back("config " + f.config_toml.substr(start, end - start));
    if (end == std::string::npos) break;
    start = end + 1;
  }
  std::vector<std::string> comments;
  comments.reserve(lines.size());
  for (const std::string& line : lines) comments.push_back("comment " + line);
  return comments;
}

std::vector<std::string> gaussian_ply_elements(const GaussianPlyCounts& counts, int coefficients) {
  std::vector<std::string> lines;
  const auto element = [&](const char* name, std::size_t rows) {
    lines.push_back("element " + std::string(name) + " " + std::to_string(rows));
  };
  const auto property = [&](const std::string& name, const char* type = "float") {
    lines.push_back("property " + std::string(type) + " " + name);
  };
  element("vertex", counts.gaussians);
  for (const char* name : {"x", "y", "z", "raw_scale_0", "raw_scale_1", "raw_scale_2", "rotation_w", "rotation_x",
                           "rotation_y", "rotation_z"})
    property(name);
  for (int k = 0; k < coefficients; ++k) property("attenuation_" + std::to_string(k));
  element("table3d", counts.table3d);
  property("value");
  element("table4d", counts.table4d);
  property("value");
  element("network", counts.network);
  property("value");
  element("nuisance", counts.nuisance);
  property("view", "int");
  property("gain");
  property("offset");
  element("test_view", counts.test_views);
  property("view", "int");
  lines.emplace_back("end_header");
  return lines;
}

}  // namespace dsasrgs
