// SPDX-License-Identifier: Apache-2.0
#include "super_resolution/label_likeness.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <span>

namespace dsasrgs {

namespace {

constexpr std::size_t kLeastPixels = 100;
constexpr double kLeastContrast = 0.05;  // of the acquisition's range
constexpr double kLeastSignal = 0.5;     // of the projection's variance
// Slopes of the projection over good labels (ESRGAN, interpolated, oracle with 12 inventions a view; with and without
// noise) are 0.8 to 1.1. Over a label in [0,1] for 0 to 1.6 it is 1.6, over log10 2.3, over a mirrored one below 0.6.
constexpr double kLargestSlope = 1.3, kLeastSlope = 0.3;
constexpr double kErrors = 3;       // standard errors that a slope must be beyond its bound
constexpr std::size_t kBlocks = 8;  // per side, for the standard error

/// Over the pixels where x is a number: means, and sums of products of the deviations from them.
struct Moments {
  double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
};
Moments moments(const std::vector<float>& x, const std::vector<double>& y) {
  Moments m;
  double n = 0;
  for (std::size_t p = 0; p < x.size(); ++p)
    if (!std::isnan(x[p])) {
      m.mean_x += x[p];
      m.mean_y += y[p];
      ++n;
    }
  m.mean_x /= n;
  m.mean_y /= n;
  for (std::size_t p = 0; p < x.size(); ++p)
    if (!std::isnan(x[p])) {
      const double dx = x[p] - m.mean_x, dy = y[p] - m.mean_y;
      m.xx += dx * dx;
      m.yy += dy * dy;
      m.xy += dx * dy;
    }
  return m;
}

/// Means over scale × scale pixels.
std::vector<double> averaged(std::span<const float> label, const Detector& detector, int scale) {
  const auto width = static_cast<std::size_t>(detector.width_px), s = static_cast<std::size_t>(scale);
  std::vector<double> sum(detector.num_pixels());
  for (std::size_t row = 0; row < static_cast<std::size_t>(detector.height_px) * s; ++row) {
    const float* in = label.data() + row * width * s;
    double* out = sum.data() + row / s * width;
    for (std::size_t column = 0; column < width; ++column)
      for (std::size_t k = 0; k < s; ++k) out[column] += in[column * s + k];
  }
  for (double& value : sum) value /= static_cast<double>(scale) * scale;
  return sum;
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2g", value);
  return text;
}

}  // namespace

ProjectionRange valid_range(const Acquisition& a) {
  ProjectionRange range{std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()};
  for (int view = 0; view < a.num_views(); ++view) {
    const std::span<const float> values = a.projection(view);
    const std::span<const std::uint8_t> valid = a.valid_pixels(view);
    for (std::size_t p = 0; p < values.size(); ++p)
      if (valid.empty() || valid[p] != 0) {
        range.low = std::min(range.low, values[p]);
        range.high = std::max(range.high, values[p]);
      }
  }
  return range;
}

std::vector<float> comparable_projection(const Acquisition& a, int view, ProjectionRange range) {
  const std::span<const float> measured = a.projection(view);
  const std::span<const std::uint8_t> valid = a.valid_pixels(view);
  std::vector<float> values(measured.begin(), measured.end());
  double sum = 0;
  std::size_t n = 0;
  for (std::size_t p = 0; p < values.size(); ++p)
    if (!valid.empty() && valid[p] == 0) {
      values[p] = std::numeric_limits<float>::quiet_NaN();
    } else {
      sum += values[p];
      ++n;
    }
  if (n < kLeastPixels) return {};
  const double mean = sum / static_cast<double>(n);
  const auto width = static_cast<std::size_t>(a.detector.width_px);
  double squares = 0, products = 0;
  std::size_t pairs = 0;
  const auto pair_up = [&](double d, std::size_t neighbour) {
    if (std::isnan(values[neighbour])) return;
    products += d * (values[neighbour] - mean);
    ++pairs;
  };
  for (std::size_t p = 0; p < values.size(); ++p) {
    if (std::isnan(values[p])) continue;
    const double d = values[p] - mean;
    squares += d * d;
    if ((p + 1) % width != 0) pair_up(d, p + 1);
    if (p + width < values.size()) pair_up(d, p + width);
  }
  if (pairs == 0) return {};
  const double variance = squares / static_cast<double>(n), signal = products / static_cast<double>(pairs);
  const double contrast = kLeastContrast * (static_cast<double>(range.high) - range.low);
  // A flat view has neither.
  if (signal <= 0 || signal < contrast * contrast || signal < kLeastSignal * variance) return {};
  return values;
}

std::optional<std::string> unlikeness(const std::vector<float>& projection, const Detector& detector,
                                      std::span<const float> label, int scale) {
  const std::vector<double> mean = averaged(label, detector, scale);
  const Moments m = moments(projection, mean);
  // A label without contrast: the truth under a motion artefact has none before the contrast arrives.
  if (m.yy <= 0) return std::nullopt;
  const double projection_slope = m.xy / m.yy, label_slope = m.xy / m.xx;
  // Sums over blocks, for standard errors: pixels of one vessel or edge do not err independently.
  std::array<double, kBlocks * kBlocks> projection_residual{}, label_residual{};
  const auto width = static_cast<std::size_t>(detector.width_px), height = static_cast<std::size_t>(detector.height_px);
  for (std::size_t p = 0; p < projection.size(); ++p) {
    if (std::isnan(projection[p])) continue;
    const double x = projection[p] - m.mean_x, y = mean[p] - m.mean_y;
    const std::size_t block = p / width * kBlocks / height * kBlocks + p % width * kBlocks / width;
    projection_residual[block] += y * (x - projection_slope * y);
    label_residual[block] += x * (y - label_slope * x);
  }
  const auto error = [](const auto& sums, double squares) {
    double sum = 0;
    for (const double s : sums) sum += s * s;
    return std::sqrt(sum) / squares;
  };
  const double projection_error = error(projection_residual, m.yy), label_error = error(label_residual, m.xx);

  const std::string correlation = " (correlation " + number(m.xy / std::sqrt(m.xx * m.yy)) + ")";
  // Inventions lower the first slope and noise or artefacts the second one, so that neither makes the other exceed 1.
  if (projection_slope - kErrors * projection_error > kLargestSlope)
    return number(1 / projection_slope) + " times its contrast" + correlation + ": another unit, logarithm or view";
  if (label_slope - kErrors * label_error > kLargestSlope)
    return number(label_slope) + " times its contrast" + correlation + ": another unit, logarithm or view";
  if (projection_slope + kErrors * projection_error < kLeastSlope)
    return "an image unlike it" + correlation + ": mirrored, or of another view";
  return std::nullopt;
}

}  // namespace dsasrgs
