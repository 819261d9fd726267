// SPDX-License-Identifier: Apache-2.0
#include "shown_pixels.hpp"

#include <catch2/catch.hpp>
#include <cstddef>
#include <vector>

using namespace dsasrgs;

TEST_CASE("shown pixels: misfit, and the noise around, by hand", "[uncertainty]") {
  const Detector detector{60, 9, 1, 1};  // around: 3 pixels
  const auto at = [](int row, int column) { return static_cast<std::size_t>(60 * row + column); };
  std::vector<float> render(detector.num_pixels()), residual(render.size(), 50), counts(render.size(), 1);
  std::vector<float> predicted(render.size(), 9);
  for (int row = 1; row <= 7; ++row)
    for (int column = 27; column <= 33; ++column)
      residual[at(row, column)] = row % 6 == 1 ? -3.0f : (column % 6 == 3 ? 2.0f : 1.0f);
  render[at(4, 30)] = 10;
  residual[at(4, 30)] = -2;
  predicted[at(4, 30)] = 0.25f;
  render[at(2, 28)] = 0.09f;  // less than a hundredth
  residual[at(3, 29)] = 100;  // does not count
  render[at(8, 5)] = 5000;    // nor does this
  counts[at(3, 29)] = counts[at(8, 5)] = 0;
  const ShownPixels sums = shown_pixels(detector, render, residual, predicted, counts);
  CHECK(sums.misfit == 4);
  CHECK(sums.noise == Approx((14 * 9 + 10 * 4 + 23) / 47.0));
  CHECK(sums.predicted == 0.25);
  const ShownPixels blank = shown_pixels(detector, std::vector<float>(render.size()), residual, predicted, counts);
  CHECK(blank.misfit == 0);
  CHECK(blank.noise == 0);
}
