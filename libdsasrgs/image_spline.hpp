// SPDX-License-Identifier: Apache-2.0
#pragma once
// Values and slopes of an image between its pixels: the cubic spline through them, mirrored about its outer pixels
// (Unser, Aldroubi & Eden, IEEE Trans. Signal Process. 41, 1993).

#include <span>
#include <vector>

namespace dsasrgs {

class ImageSpline {
 public:
  /// `image` [H,W], one pixel or more along each side.
  ImageSpline(std::span<const float> image, int width_px, int height_px);

  struct Sample {
    double value, along_u, along_v;  ///< slopes per pixel
  };
  /// At (column, row), whole numbers at the centres of pixels; within the image but for half a pixel.
  Sample at(double column, double row) const;

 private:
  int width_, height_;
  std::vector<float> coefficient_;  // [H,W]
};

}  // namespace dsasrgs
