// SPDX-License-Identifier: Apache-2.0
#include "network/patch_pixels.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "dsasrgs/buffer.hpp"
#include "network/orientation.hpp"

namespace dsasrgs {

namespace {

Image blank(int width_px, int height_px) {
  return {width_px, height_px, host_vector<float>(num_elements(width_px, height_px))};
}

/// Weights of four neighbouring control points of a cubic B-spline; they sum to 1 and none is negative.
std::array<double, 4> spline_weights(double t) {
  const double r = 1 - t, t2 = t * t, t3 = t2 * t;
  return {r * r * r / 6, (3 * t3 - 6 * t2 + 4) / 6, (-3 * t3 + 3 * t2 + 3 * t + 1) / 6, t3 / 6};
}

}  // namespace

Image cut_patch(const Image& image, int row, int column, int side_px, int binning, double factor) {
  Image patch = blank(side_px, side_px);
  const auto side = static_cast<std::size_t>(side_px), width = static_cast<std::size_t>(image.width_px),
             b = static_cast<std::size_t>(binning);
  const double weight = factor / static_cast<double>(b * b);
  std::vector<double> sums(side);
  for (std::size_t r = 0; r < side; ++r) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (std::size_t k = 0; k < b; ++k) {
      const float* pixel =
          image.values.data() + (static_cast<std::size_t>(row) + r * b + k) * width + static_cast<std::size_t>(column);
      for (std::size_t c = 0; c < side; ++c)
        for (std::size_t l = 0; l < b; ++l) sums[c] += static_cast<double>(*pixel++);
    }
    for (std::size_t c = 0; c < side; ++c) patch.values[r * side + c] = static_cast<float>(sums[c] * weight);
  }
  return patch;
}

Image block_means(const Image& image, int scale) { return cut_patch(image, 0, 0, image.width_px / scale, scale, 1); }

bool all_equal(const Image& image) {
  return std::all_of(image.values.begin(), image.values.end(), [&](float v) { return v == image.values.front(); });
}

Image turned(const Image& image, std::size_t which) {
  Image result = blank(image.width_px, image.height_px);
  const auto side = static_cast<std::size_t>(image.width_px);
  for_each_oriented(side, side, static_cast<int>(which),
                    [&](std::size_t from, std::size_t to) { result.values[to] = image.values[from]; });
  return result;
}

void multiply(Image& image, double factor) {
  for (float& v : image.values) v = static_cast<float>(v * factor);
}

void add_blush(Image& image, PatchNumbers& numbers, double most) {
  constexpr std::size_t kMostCells = 4, kMostPoints = kMostCells + 3;
  const std::size_t cells = 1 + numbers.index(kMostCells), points = cells + 3;
  const auto side = static_cast<std::size_t>(image.width_px);
  const double highest = numbers.uniform(0, most);
  std::array<double, kMostPoints * kMostPoints> control{};
  for (std::size_t i = 0; i < points * points; ++i) control[i] = numbers.uniform(0, highest);
  struct Place {
    std::size_t first;
    std::array<double, 4> weights;
  };
  std::vector<Place> places;
  for (std::size_t i = 0; i < side; ++i) {
    const double at = (static_cast<double>(i) + 0.5) / static_cast<double>(side) * static_cast<double>(cells),
                 cell = std::floor(at);
    places.push_back({static_cast<std::size_t>(cell), spline_weights(at - cell)});
  }
  for (std::size_t r = 0; r < side; ++r) {
    std::array<double, kMostPoints> row{};
    for (std::size_t k = 0; k < 4; ++k)
      for (std::size_t p = 0; p < points; ++p)
        row[p] += places[r].weights[k] * control[(places[r].first + k) * points + p];
    for (std::size_t c = 0; c < side; ++c) {
      double value = 0;
      for (std::size_t k = 0; k < 4; ++k) value += places[c].weights[k] * row[places[c].first + k];
      image.values[r * side + c] += static_cast<float>(value);
    }
  }
}

void add_noise(Image& image, double standard_deviation, std::uint64_t seed, std::int64_t a, std::uint32_t b) {
  if (standard_deviation <= 0) return;
  for (std::size_t i = 0; i < image.values.size(); i += 3) {
    const Vec3f normal = random_normal3(seed, RandomStream::network_noise, static_cast<std::uint64_t>(a),
                                        std::uint64_t{b} << 32 | i / 3);
    const float three[] = {normal.x, normal.y, normal.z};
    for (std::size_t k = 0; k < 3 && i + k < image.values.size(); ++k)
      image.values[i + k] += static_cast<float>(standard_deviation * static_cast<double>(three[k]));
  }
}

}  // namespace dsasrgs
