// SPDX-License-Identifier: Apache-2.0
#include "image_spline.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "dsasrgs/buffer.hpp"

namespace dsasrgs {

namespace {

/// Where pixel i is in a row of n pixels that goes on mirrored.
int mirrored(int i, int n) {
  if (n == 1) return 0;
  const int period = 2 * (n - 1);
  i = std::abs(i) % period;
  return i < n ? i : period - i;
}

/// Values → coefficients of a cubic spline through them: a recursive filter there and back.
void to_coefficients(std::span<double> line) {
  const int n = static_cast<int>(line.size());
  if (n == 1) return;
  const double pole = std::sqrt(3.0) - 2;
  constexpr int kHorizon = 30;  // |pole|^30 = 7e-18
  double first = 0, power = 1;
  for (int k = 0; k < kHorizon; ++k, power *= pole) first += power * line[static_cast<std::size_t>(mirrored(k, n))];
  for (double& value : line) value *= 6;
  line[0] = 6 * first;
  for (std::size_t k = 1; k < line.size(); ++k) line[k] += pole * line[k - 1];
  double& last = line.back();
  last = pole / (pole * pole - 1) * (pole * line[line.size() - 2] + last);
  for (std::size_t k = line.size() - 1; k-- > 0;) line[k] = pole * (line[k + 1] - line[k]);
}

/// Weights of four coefficients at a fraction of a pixel, and their derivatives.
struct Weights {
  double value[4], slope[4];
  explicit Weights(double f)
      : value{(1 - f) * (1 - f) * (1 - f) / 6, (3 * f * f * f - 6 * f * f + 4) / 6,
              (-3 * f * f * f + 3 * f * f + 3 * f + 1) / 6, f * f * f / 6},
        slope{-(1 - f) * (1 - f) / 2, (3 * f * f - 4 * f) / 2, (-3 * f * f + 2 * f + 1) / 2, f * f / 2} {}
};

}  // namespace

ImageSpline::ImageSpline(std::span<const float> image, int width_px, int height_px)
    : width_(width_px), height_(height_px), coefficient_(host_vector<float>(image.size())) {
  const auto width = static_cast<std::size_t>(width_px), height = static_cast<std::size_t>(height_px);
  std::vector<double> line = host_vector<double>(width);
  for (std::size_t row = 0; row < height; ++row) {
    std::copy_n(image.begin() + static_cast<std::ptrdiff_t>(row * width), width, line.begin());
    to_coefficients(line);
    for (std::size_t column = 0; column < width; ++column)
      coefficient_[row * width + column] = static_cast<float>(line[column]);
  }
  line = host_vector<double>(height);
  for (std::size_t column = 0; column < width; ++column) {
    for (std::size_t row = 0; row < height; ++row) line[row] = coefficient_[row * width + column];
    to_coefficients(line);
    for (std::size_t row = 0; row < height; ++row) coefficient_[row * width + column] = static_cast<float>(line[row]);
  }
}

ImageSpline::Sample ImageSpline::at(double column, double row) const {
  const double left = std::floor(column), top = std::floor(row);
  const Weights across(column - left), down(row - top);
  int columns[4];
  for (int i = 0; i < 4; ++i) columns[i] = mirrored(static_cast<int>(left) - 1 + i, width_);
  Sample sample{0, 0, 0};
  for (int j = 0; j < 4; ++j) {
    const float* line =
        coefficient_.data() +
        static_cast<std::size_t>(mirrored(static_cast<int>(top) - 1 + j, height_)) * static_cast<std::size_t>(width_);
    double value = 0, slope = 0;
    for (int i = 0; i < 4; ++i) {
      const double c = static_cast<double>(line[columns[i]]);
      value += across.value[i] * c;
      slope += across.slope[i] * c;
    }
    sample.value += down.value[j] * value;
    sample.along_u += down.value[j] * slope;
    sample.along_v += down.slope[j] * value;
  }
  return sample;
}

}  // namespace dsasrgs
