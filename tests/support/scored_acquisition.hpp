// SPDX-License-Identifier: Apache-2.0
#pragma once
// A small acquisition whose images are eighths, so that scores of images a constant apart are known exactly.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dsasrgs/acquisition.hpp"

namespace dsasrgs::test {

/// 5 views of 9 × 8 pixels from 0 to 2 (an eighth more from row to row and column to column), but view 2, which is 0
/// everywhere. Reference projections are twice as fine: every pixel is four.
inline Acquisition scored_acquisition() {
  Acquisition a;
  a.name = "scored";
  a.detector = {9, 8, 1, 1};
  a.volume = {4, 4, 4, {2, 2, 2}, {-4, -4, -4}};
  CircularSweep sweep;
  sweep.num_views = 5;
  a.poses = circular_poses(sweep);
  a.reference_projections = ReferenceProjections{2, {}};
  for (int v = 0; v < 5; ++v)
    for (int row = 0; row < 16; ++row)
      for (int column = 0; column < 18; ++column) {
        const float value = v == 2 ? 0 : static_cast<float>(row / 2 + column / 2 + 1) / 8;
        a.reference_projections->values.push_back(value);
        if (row % 2 == 0 && column % 2 == 0) a.projections.push_back(value);
      }
  a.train_views = {0, 2, 4};
  a.test_views = {1, 3};
  return a;
}

/// An image with a constant added.
inline std::vector<float> shifted(const std::vector<float>& images, const Detector& detector, int view, float by) {
  const std::size_t n = detector.num_pixels();
  const auto first = images.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(view) * n);
  std::vector<float> image(first, first + static_cast<std::ptrdiff_t>(n));
  for (float& value : image) value += by;
  return image;
}

}  // namespace dsasrgs::test
