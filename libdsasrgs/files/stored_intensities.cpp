// SPDX-License-Identifier: Apache-2.0
#include "files/stored_intensities.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs {

namespace {

/// Of views, rows and columns (docs/data-format.md); asked before anything is made of them.
constexpr std::size_t kMaxExtent = std::size_t{1} << 20;

/// The detector's dark field [H,W]; 0 where the file has none.
std::vector<float> read_dark(const Hdf5Reader& file, std::size_t height, std::size_t width) {
  if (!file.has("/dark")) return host_vector<float>(height * width);
  std::vector<float> dark = file.read<float>("/dark", {height, width});
  for (std::size_t p = 0; p < dark.size(); ++p)
    if (!std::isfinite(dark[p]))
      throw BadInput(
          file.name(), "/dark", "finite numbers",
          plain_number(dark[p]) + " at row " + std::to_string(p / width) + ", column " + std::to_string(p % width));
  return dark;
}

/// Counts from which on the detector is saturated.
double read_saturation(const Hdf5Reader& file) {
  if (!file.has_attribute("/projections", "saturation")) return std::numeric_limits<double>::infinity();
  const double level = file.attribute<double>("/projections", "saturation");
  if (!(level > 0)) throw BadInput(file.name(), "/projections@saturation", "a positive count", plain_number(level));
  return level;
}

/// Marks a pixel of one view as not valid.
void exclude_pixel(Acquisition& a, std::size_t view, std::size_t pixel) {
  const std::size_t pixels = a.detector.num_pixels(), all = a.poses.size() * pixels;
  if (a.valid.size() != all) {  // from no mask, or one for all views, to one each
    std::vector<std::uint8_t> each = host_vector<std::uint8_t>(all, 1);
    for (std::size_t i = 0; i < all && !a.valid.empty(); ++i) each[i] = a.valid[i % pixels];
    a.valid = std::move(each);
  }
  a.valid[view * pixels + pixel] = 0;
}

}  // namespace

std::string pixel_name(std::size_t view, std::size_t pixel, std::size_t width) {
  return "view " + std::to_string(view) + ", row " + std::to_string(pixel / width) + ", column " +
         std::to_string(pixel % width);
}

Shape require_images(const Hdf5Reader& file, const std::string& field, const Shape& expected) {
  Shape found = file.require_shape(field, expected);
  for (const std::size_t extent : found)
    if (extent == 0 || extent > kMaxExtent)
      throw BadInput(file.name(), field, "1 to " + std::to_string(kMaxExtent) + " views, rows and columns",
                     "shape " + describe(found));
  return found;
}

void read_intensities(const Hdf5Reader& file, Acquisition& a, std::vector<float>* log_masks) {
  const std::size_t num_views = a.poses.size(), pixels = a.detector.num_pixels();
  const std::size_t height = static_cast<std::size_t>(a.detector.height_px);
  const std::size_t width = static_cast<std::size_t>(a.detector.width_px);
  const Shape mask_shape = require_images(file, "/mask_projections", {kAnyExtent, height, width});
  if (mask_shape[0] != 1 && mask_shape[0] != num_views)
    throw BadInput(file.name(), "/mask_projections",
                   "shape " + describe({num_views, height, width}) + " or " + describe({1, height, width}),
                   describe(mask_shape));
  const std::vector<float> dark = read_dark(file, height, width);
  const double saturation = read_saturation(file);
  a.projections = host_vector<float>(num_views * pixels);
  if (log_masks != nullptr) *log_masks = host_vector<float>(num_views * pixels);
  std::vector<float> fill = host_vector<float>(pixels), mask = host_vector<float>(pixels);
  for (std::size_t v = 0; v < num_views; ++v) {
    file.read_slab("/projections", v, std::span(fill));
    if (v < mask_shape[0]) file.read_slab("/mask_projections", v, std::span(mask));
    float* line_integral = a.projections.data() + v * pixels;
    std::span<const std::uint8_t> valid = a.valid_pixels(static_cast<int>(v));
    for (std::size_t p = 0; p < pixels; ++p) {
      line_integral[p] = 0;
      if (!valid.empty() && valid[p] == 0) continue;
      if (fill[p] >= saturation || mask[p] >= saturation) {
        exclude_pixel(a, v, p);
        valid = a.valid_pixels(static_cast<int>(v));
        continue;
      }
      const auto counts = [&](const char* field, float value) {
        const double above = static_cast<double>(value) - dark[p];
        if (!(above > 0) || !std::isfinite(above))
          throw BadInput(
              file.name(), field,
              dark[p] == 0 ? "positive intensities" : "intensities above the dark field of " + plain_number(dark[p]),
              plain_number(value) + " at " + pixel_name(v, p, width));
        return above;
      };
      const double fill_counts = counts("/projections", fill[p]), mask_counts = counts("/mask_projections", mask[p]);
      line_integral[p] = static_cast<float>(std::log(mask_counts / fill_counts));
      if (log_masks != nullptr) (*log_masks)[v * pixels + p] = static_cast<float>(std::log(mask_counts));
    }
  }
}

}  // namespace dsasrgs
