// SPDX-License-Identifier: Apache-2.0
#include "jobs/pictures.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "dsasrgs/io.hpp"

namespace dsasrgs::program {

namespace {

constexpr int kGap = 4;  // white columns between panels
constexpr int kMaxSide = 4096;

/// A white canvas that panels are put on; values from 0 (white) to 1 (black).
class Canvas {
 public:
  Canvas(int width, int height)
      : width_(width),
        height_(height),
        pixels_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 0.0f) {}
  float& at(int column, int row) {
    return pixels_[static_cast<std::size_t>(row) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(column)];
  }
  void write(const std::filesystem::path& path) const { write_png(path, pixels_, width_, height_, {1, 0}); }

 private:
  int width_, height_;
  std::vector<float> pixels_;
};

/// One maximum projection [rows,columns], row 0 at the bottom.
struct Projection {
  int columns = 0, rows = 0;
  double column_mm = 1, row_mm = 1;
  std::vector<float> values;
  float& at(int c, int r) {
    return values[static_cast<std::size_t>(r) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(c)];
  }
};

int pixels(double length_mm, double pixel_mm) {
  return std::clamp(static_cast<int>(std::lround(length_mm / pixel_mm)), 1, kMaxSide);
}

std::vector<float> valid_values(const ProjectionTruth& truth) {
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(truth.acquisition().num_views()) * truth.detector().num_pixels());
  for (int v = 0; v < truth.acquisition().num_views(); ++v) {
    const auto image = truth.image(v);
    const auto valid = truth.valid(v);
    for (std::size_t p = 0; p < image.size(); ++p)
      if (valid.empty() || valid[p] != 0) values.push_back(image[p]);
  }
  return values;
}

/// The value below which a fraction of the values lies; there is at least one.
float quantile_of(std::vector<float> values, double fraction) {
  const auto rank = static_cast<std::ptrdiff_t>(fraction * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return values[static_cast<std::size_t>(rank)];
}

}  // namespace

Panel image_panel(std::span<const float> image, float window) {
  Panel panel(image.begin(), image.end());
  for (float& v : panel) v /= window;
  return panel;
}

Panel difference_panel(std::span<const float> image, std::span<const float> reference, float window) {
  Panel panel(image.begin(), image.end());
  // Line integrals cannot be negative: noise below 0 is no fault of the render.
  for (std::size_t i = 0; i < panel.size(); ++i)
    panel[i] = 0.5f + kDifferenceGain * (panel[i] - std::max(reference[i], 0.0f)) / window;
  return panel;
}

void write_panels(const std::filesystem::path& path, const std::vector<std::vector<Panel>>& rows, int width,
                  int height) {
  std::size_t columns = 0;
  for (const auto& row : rows) columns = std::max(columns, row.size());
  Canvas canvas(static_cast<int>(columns) * (width + kGap) - kGap,
                static_cast<int>(rows.size()) * (height + kGap) - kGap);
  for (std::size_t y = 0; y < rows.size(); ++y)
    for (std::size_t x = 0; x < rows[y].size(); ++x) {
      auto pixel = rows[y][x].begin();
      for (int r = 0; r < height; ++r)
        for (int c = 0; c < width; ++c)
          canvas.at(static_cast<int>(x) * (width + kGap) + c, static_cast<int>(y) * (height + kGap) + r) = *pixel++;
    }
  canvas.write(path);
}

float picture_window(const ProjectionTruth& truth) {
  constexpr double kQuantile = 0.9995;
  const float quantile = quantile_of(valid_values(truth), kQuantile);
  return quantile > 0 ? quantile : static_cast<float>(truth.range());
}

void write_comparison(const std::filesystem::path& path, std::span<const float> rendered,
                      std::span<const float> reference, const Detector& detector, float window) {
  write_panels(
      path,
      {{image_panel(rendered, window), image_panel(reference, window), difference_panel(rendered, reference, window)}},
      detector.width_px, detector.height_px);
}

void write_maximum_projections(const std::filesystem::path& path, const std::vector<float>& volume,
                               const VolumeGrid& grid) {
  Projection coronal{grid.size_x, grid.size_z, grid.spacing_mm.x, grid.spacing_mm.z, {}};
  Projection sagittal{grid.size_y, grid.size_z, grid.spacing_mm.y, grid.spacing_mm.z, {}};
  for (Projection* p : {&coronal, &sagittal})
    p->values.assign(static_cast<std::size_t>(p->columns) * static_cast<std::size_t>(p->rows), 0.0f);
  std::size_t i = 0;
  float largest = 0;
  for (int z = 0; z < grid.size_z; ++z)
    for (int y = 0; y < grid.size_y; ++y)
      for (int x = 0; x < grid.size_x; ++x, ++i) {
        coronal.at(x, z) = std::max(coronal.at(x, z), volume[i]);
        sagittal.at(y, z) = std::max(sagittal.at(y, z), volume[i]);
        largest = std::max(largest, volume[i]);
      }
  const float window = largest > 0 ? largest : 1;
  const double pixel_mm = std::min({grid.spacing_mm.x, grid.spacing_mm.y, grid.spacing_mm.z});
  const Vec3d extent = grid.extent_mm();
  const int height = pixels(extent.z, pixel_mm), left_width = pixels(extent.x, pixel_mm);
  Canvas canvas(left_width + kGap + pixels(extent.y, pixel_mm), height);
  int left = 0;
  for (Projection* p : {&coronal, &sagittal}) {
    const int width = pixels(p->columns * p->column_mm, pixel_mm);
    for (int r = 0; r < height; ++r)
      for (int c = 0; c < width; ++c) {
        const auto index = [](int pixel, int count, int size) {
          return std::min(size - 1, static_cast<int>((pixel + 0.5) * size / count));
        };
        canvas.at(left + c, r) = p->at(index(c, width, p->columns), index(height - 1 - r, height, p->rows)) / window;
      }
    left += width + kGap;
  }
  canvas.write(path);
}

void write_projection(const std::filesystem::path& path, std::span<const float> image, const Detector& detector,
                      float window) {
  write_png(path, image, detector.width_px, detector.height_px, {window, 0});
}

}  // namespace dsasrgs::program
