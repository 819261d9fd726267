// SPDX-License-Identifier: Apache-2.0
// What can be told of an image at sight, against what a network was trained on.
#include <algorithm>
#include <cmath>
#include <string>

#include "common/host_vector.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/super_resolver.hpp"
#include "fill_invalid.hpp"
#include "percentile.hpp"

namespace dsasrgs {

ImageTraits image_traits(std::span<const float> image, int width_px, int height_px, double unit) try {
  constexpr const char* kOp = "image_traits";
  if (width_px < 3 || height_px < 3 ||
      image.size() != static_cast<std::size_t>(width_px) * static_cast<std::size_t>(height_px))
    throw InvalidArgument(std::string(kOp) + ": image: expected width x height values, at least 3 x 3, found " +
                          std::to_string(image.size()) + " for " + std::to_string(width_px) + " x " +
                          std::to_string(height_px));
  if (!(unit > 0) || !std::isfinite(unit))
    throw InvalidArgument(std::string(kOp) + ": unit: expected a positive number, found " + std::to_string(unit));
  const auto width = static_cast<std::size_t>(width_px), height = static_cast<std::size_t>(height_px);
  const auto at = [&](std::size_t row, std::size_t column) { return static_cast<double>(image[row * width + column]); };

  double mean = 0;
  for (const float value : image) {
    if (!std::isfinite(value))
      throw InvalidArgument(std::string(kOp) + ": image: expected finite values, found one not");
    mean += static_cast<double>(value);
  }
  mean /= static_cast<double>(image.size());

  // Immerkær (1996): this second difference of second differences is 0 for any plane and any edge along an axis, and
  // 6 σ for noise of σ. Its median, as vessels are few.
  HostVector<double> difference;
  for (std::size_t row = 1; row + 1 < height; ++row)
    for (std::size_t column = 1; column + 1 < width; ++column) {
      const auto second = [&](std::size_t r) { return at(r, column - 1) - 2 * at(r, column) + at(r, column + 1); };
      difference.push_back(std::abs(second(row - 1) - 2 * second(row) + second(row + 1)));
    }
  constexpr double kNormalMedian = 0.6745;  // of |x|, x standard normal
  ImageTraits traits;
  traits.noise = percentile(difference, 0.5) / (6 * kNormalMedian) / unit;

  double squares = 0, products = 0, pairs = 0;
  for (std::size_t row = 0; row < height; ++row)
    for (std::size_t column = 0; column < width; ++column) {
      const double d = at(row, column) - mean;
      squares += d * d;
      if (column + 1 < width) products += d * (at(row, column + 1) - mean), ++pairs;
      if (row + 1 < height) products += d * (at(row + 1, column) - mean), ++pairs;
    }
  const double variance = squares / static_cast<double>(image.size());
  traits.sharpness = variance > 0 ? std::clamp(1 - products / pairs / variance, 0.0, 1.0) : 0;

  HostVector<float> sorted(image.begin(), image.end());
  const double high = percentile(sorted, 0.999), low = percentile(sorted, 0.001);
  traits.contrast = (high - low) / unit;
  return traits;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

ImageTraits image_traits(const Acquisition& a, int view, double unit) {
  return image_traits(filled_projection(a, view), a.detector.width_px, a.detector.height_px, unit);
}

}  // namespace dsasrgs
