// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sum of 2D Gaussians by brute force in double: every Gaussian against every pixel.

#include <cmath>
#include <vector>

#include "project/project.hpp"

namespace dsasrgs::test {

struct RasterGaussian {
  double mean_x, mean_y, conic_xx, conic_xy, conic_yy, amplitude;
  PixelBox box;
  double mahalanobis2(int x, int y) const {
    const double dx = x + 0.5 - mean_x, dy = y + 0.5 - mean_y;
    return conic_xx * dx * dx + 2 * conic_xy * dx * dy + conic_yy * dy * dy;
  }
};

struct RasterOracle {
  std::vector<double> image;
  std::vector<double> slack;  ///< per pixel, what Gaussians weigh that lie within float rounding of the cut-off there
};

/// Visits (Gaussian, pixel, borderline) for pixels inside or within `band` (relative, in d²) of the cut-off.
template <class Visit>
void for_each_pair(const std::vector<RasterGaussian>& gaussians, int width, int height, double band, Visit&& visit) {
  constexpr double kLimit = 3.5 * 3.5;
  for (std::size_t i = 0; i < gaussians.size(); ++i)
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const PixelBox& b = gaussians[i].box;
        if (x < b.x_begin || x >= b.x_end || y < b.y_begin || y >= b.y_end) continue;
        const double q = gaussians[i].mahalanobis2(x, y);
        if (q <= kLimit * (1 + band)) visit(i, x, y, q, q >= kLimit * (1 - band), q <= kLimit);
      }
}

inline RasterOracle rasterize_oracle(const std::vector<RasterGaussian>& gaussians, int width, int height, double band) {
  RasterOracle out;
  out.image.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 0);
  out.slack = out.image;
  for_each_pair(gaussians, width, height, band,
                [&](std::size_t i, int x, int y, double q, bool borderline, bool inside) {
                  const std::size_t p =
                      static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
                  const double value = gaussians[i].amplitude * std::exp(-0.5 * q);
                  if (inside) out.image[p] += value;
                  if (borderline) out.slack[p] += std::abs(value);
                });
  return out;
}

}  // namespace dsasrgs::test
