// SPDX-License-Identifier: Apache-2.0
// What shutters and collimators hide (PS3.3 C.7.6.11, C.8.7.3). Free of DCMTK.

#include <cmath>

#include "import/dicom_run.hpp"

namespace dsasrgs {

namespace {

/// Even-odd rule: crossings of a ray towards lower columns.
bool is_inside(const std::vector<double>& polygon, double row, double column) {
  bool inside = false;
  for (std::size_t i = 0, j = polygon.size() - 2; i < polygon.size(); j = i, i += 2) {
    const double row_i = polygon[i], row_j = polygon[j];
    if ((row_i > row) == (row_j > row)) continue;
    const double crossing = polygon[i + 1] + (row - row_i) / (row_j - row_i) * (polygon[j + 1] - polygon[i + 1]);
    if (crossing < column) inside = !inside;
  }
  return inside;
}

bool is_hidden(const DicomShutter& shutter, double row, double column) {
  if (shutter.edges) {
    const auto& [left, right, upper, lower] = *shutter.edges;
    if (column <= left || column >= right || row <= upper || row >= lower) return true;
  }
  if (shutter.circle) {
    const auto& [center_row, center_column, radius] = *shutter.circle;
    if (std::hypot(row - center_row, column - center_column) >= radius) return true;
  }
  return !shutter.polygon.empty() && !is_inside(shutter.polygon, row, column);
}

}  // namespace

void hide_behind(const DicomShutter& shutter, int bin, int width, std::span<std::uint8_t> valid) {
  if (shutter.is_empty()) return;
  for (std::size_t i = 0; i < valid.size(); ++i) {
    const auto row = static_cast<int>(i / static_cast<std::size_t>(width)) * bin;
    const auto column = static_cast<int>(i % static_cast<std::size_t>(width)) * bin;
    for (int part = 0; part < bin * bin && valid[i] != 0; ++part)
      if (const int down = part / bin, right = part % bin; is_hidden(shutter, row + down + 1, column + right + 1))
        valid[i] = 0;
  }
}

}  // namespace dsasrgs
