// SPDX-License-Identifier: Apache-2.0
// Gaussians as splat viewers draw them.

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "common/gaussian_math.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/gaussian_files.hpp"
#include "field_pass.hpp"
#include "files/byte_stream.hpp"
#include "number_text.hpp"
#include "percentile.hpp"

namespace dsasrgs {

namespace {

/// Coefficient of the constant spherical harmonic, by which viewers multiply f_dc before they add 0.5.
constexpr double kHarmonic = 0.28209479177387814;
constexpr double kWhite = 0.5 / kHarmonic;
/// Where logits stay finite: nothing seen through it, and what no viewer shows.
constexpr double kMostOpacity = 0.999, kLeastOpacity = 1e-6;
constexpr double kTypicalOpacity = 0.95, kTypicalShare = 0.99;

constexpr const char* kViewerProperties[] = {"x",       "y",      "z",      "nx",      "ny",      "nz",
                                             "f_dc_0",  "f_dc_1", "f_dc_2", "opacity", "scale_0", "scale_1",
                                             "scale_2", "rot_0",  "rot_1",  "rot_2",   "rot_3"};

std::string viewer_header(const Model& model, std::size_t n, double time_s, double factor) {
  std::string text =
      "ply\nformat binary_little_endian 1.0\n"
      "comment dsasrgs: for splat viewers only, attenuation is not opacity\ncomment SPACE=LPS, mm\ncomment time_s ";
  text.append(number_text(time_s)).append("\ncomment opacity = 1 - exp(-").append(number_text(factor));
  text.append(" * attenuation_per_mm * sqrt(2 pi) * scale_mm)\ncomment pixel_footprint ");
  text.append(model.pixel_footprint
                  ? "on: the model was trained with the detector pixels' footprint, which viewers do not add"
                  : "off");
  text.append("\nelement vertex ").append(std::to_string(n)).append("\n");
  for (const char* property : kViewerProperties) text.append("property float ").append(property).append("\n");
  return text + "end_header\n";
}

/// Attenuation in 1/mm of each Gaussian.
std::vector<float> densities(Context& ctx, const Model& model, double time_s) {
  Buffer<float> density(ctx, model.cloud.size());
  FieldPass().forward(ctx, model.field, model.cloud, model.time.model_time(time_s), density);
  std::vector<float> values = density.to_host(ctx);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      throw NumericalError("write_viewer_ply: attenuation of Gaussian " + std::to_string(i) + " at " +
                           number_text(time_s) + " s: expected a finite number, found " + std::to_string(values[i]));
  return values;
}

}  // namespace

void write_viewer_ply(Context& ctx, const std::filesystem::path& path, const Model& model, double time_s) try {
  const std::vector<float> density = densities(ctx, model, time_s);
  const std::size_t n = density.size();
  const std::vector<float> position = model.cloud.position_mm.to_host(ctx), raw = model.cloud.raw_scale.to_host(ctx),
                           rotation = model.cloud.rotation.to_host(ctx);
  std::vector<Vec3d> scale_mm(n);
  std::vector<double> depth(n);  // the line integral through the middle
  for (std::size_t i = 0; i < n; ++i) {
    const Vec3d s =
        bounded_scale(Vec3f{raw[3 * i], raw[3 * i + 1], raw[3 * i + 2]}.as<double>(),
                      static_cast<double>(model.cloud.bounds.min_mm), static_cast<double>(model.cloud.bounds.max_mm));
    scale_mm[i] = s;
    depth[i] = static_cast<double>(density[i]) * std::sqrt(2 * std::numbers::pi) * std::cbrt(s.x * s.y * s.z);
  }
  std::vector<double> sorted = depth;
  const double typical = n > 0 ? percentile(sorted, kTypicalShare) : 0;
  const double factor = typical > 0 ? -std::log(1 - kTypicalOpacity) / typical : 1;

  std::vector<float> rows;
  rows.reserve(n * std::size(kViewerProperties));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t axis = 0; axis < 3; ++axis) rows.push_back(position[3 * i + axis]);
    rows.insert(rows.end(), 3, 0.0f);                        // normals, which splats have none of
    rows.insert(rows.end(), 3, static_cast<float>(kWhite));  // f_dc
    const double opacity = std::clamp(-std::expm1(-factor * depth[i]), kLeastOpacity, kMostOpacity);
    rows.push_back(static_cast<float>(std::log(opacity / (1 - opacity))));
    for (const double s : {scale_mm[i].x, scale_mm[i].y, scale_mm[i].z})
      rows.push_back(static_cast<float>(std::log(s)));
    double square = 0;
    for (std::size_t k = 0; k < 4; ++k)
      square += static_cast<double>(rotation[4 * i + k]) * static_cast<double>(rotation[4 * i + k]);
    for (std::size_t k = 0; k < 4; ++k)
      rows.push_back(static_cast<float>(static_cast<double>(rotation[4 * i + k]) / std::sqrt(square)));
  }
  ByteWriter file(path);
  const std::string text = viewer_header(model, n, time_s, factor);
  file.write(text.data(), text.size());
  file.write(rows.data(), rows.size() * sizeof(float));
  file.commit();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
