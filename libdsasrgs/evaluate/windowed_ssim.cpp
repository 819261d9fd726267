// SPDX-License-Identifier: Apache-2.0
#include "evaluate/windowed_ssim.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <vector>

namespace dsasrgs {
namespace {

enum Moment { kX, kY, kXX, kYY, kXY, kLeftOut, kNumMoments };

using Moments = std::array<std::vector<double>, kNumMoments>;

// Sums of the window's kSsimWindow neighbours along x, then along y: out has (size_x − 6) × (size_y − 6) elements.
void sum_window(const std::vector<double>& in, int size_x, int size_y, std::vector<double>& rows,
                std::vector<double>& out) {
  const std::size_t stride = static_cast<std::size_t>(size_x), width = stride - kSsimWindow + 1;
  const std::size_t height = static_cast<std::size_t>(size_y) - kSsimWindow + 1;
  rows.resize(width * static_cast<std::size_t>(size_y));
  for (std::size_t y = 0; y < static_cast<std::size_t>(size_y); ++y) {
    const double* p = in.data() + y * stride;
    for (std::size_t x = 0; x < width; ++x)
      rows[y * width + x] = p[x] + p[x + 1] + p[x + 2] + p[x + 3] + p[x + 4] + p[x + 5] + p[x + 6];
  }
  out.resize(width * height);
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x) {
      const double* p = rows.data() + y * width + x;
      out[y * width + x] = p[0] + p[width] + p[2 * width] + p[3 * width] + p[4 * width] + p[5 * width] + p[6 * width];
    }
}

}  // namespace

double mean_windowed_ssim(const SsimExtent& extent, const SsimSliceLoader& load, double data_range) {
  if (extent.size_x < kSsimWindow || extent.size_y < kSsimWindow || extent.size_z < extent.window_z)
    return std::numeric_limits<double>::quiet_NaN();
  const std::size_t slice_size = static_cast<std::size_t>(extent.size_x) * static_cast<std::size_t>(extent.size_y);
  const double num_in_window = kSsimWindow * kSsimWindow * extent.window_z;
  const double sample_factor = num_in_window / (num_in_window - 1);
  const double c1 = 0.01 * data_range * (0.01 * data_range), c2 = 0.03 * data_range * (0.03 * data_range);

  Moments raw;
  for (auto& m : raw) m.resize(slice_size);
  std::vector<Moments> recent(static_cast<std::size_t>(extent.window_z));  // window sums of the last slices, a ring
  std::vector<double> rows;
  double total = 0;
  std::size_t num_windows = 0;
  for (int z = 0; z < extent.size_z; ++z) {
    load(z, raw[kX].data(), raw[kY].data(), raw[kLeftOut].data());
    for (std::size_t i = 0; i < slice_size; ++i) {
      const double x = raw[kX][i], y = raw[kY][i];
      raw[kXX][i] = x * x;
      raw[kYY][i] = y * y;
      raw[kXY][i] = x * y;
    }
    Moments& sums = recent[static_cast<std::size_t>(z % extent.window_z)];
    for (std::size_t m = 0; m < kNumMoments; ++m) sum_window(raw[m], extent.size_x, extent.size_y, rows, sums[m]);
    if (z + 1 < extent.window_z) continue;

    for (std::size_t i = 0; i < sums[kX].size(); ++i) {
      std::array<double, kNumMoments> w{};
      for (const Moments& slice : recent)
        for (std::size_t m = 0; m < kNumMoments; ++m) w[m] += slice[m][i];
      if (w[kLeftOut] > 0.5) continue;
      const double ux = w[kX] / num_in_window, uy = w[kY] / num_in_window;
      const double vx = sample_factor * (w[kXX] / num_in_window - ux * ux);
      const double vy = sample_factor * (w[kYY] / num_in_window - uy * uy);
      const double vxy = sample_factor * (w[kXY] / num_in_window - ux * uy);
      total += (2 * ux * uy + c1) * (2 * vxy + c2) / ((ux * ux + uy * uy + c1) * (vx + vy + c2));
      ++num_windows;
    }
  }
  return num_windows > 0 ? total / static_cast<double>(num_windows) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace dsasrgs
