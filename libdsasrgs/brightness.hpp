// SPDX-License-Identifier: Apache-2.0
#pragma once
// How bright a set of images is: the unit that grey scales are told from (TrainingUnits::line_integral).

#include <cstdint>
#include <span>
#include <string>

#include "common/host_vector.hpp"

namespace dsasrgs {

/// The brightest line integral of images, which are given one by one.
class Brightness {
 public:
  /// Where there are `valid` pixels, only these count; an image without one adds nothing.
  void add(std::span<const float> image, std::span<const std::uint8_t> valid = {});
  /// The 99.9th percentile of all positive pixels, or, where that is more, the 90th percentile over the images of each
  /// one's own 99.9th. 0: no pixel is positive. Reorders what was added, no more.
  double brightest();

 private:
  HostVector<float> positive_, of_images_;
};

/// brightest() of the training views of the acquisition `name`. Throws BadInput where it is not from 1e-6 to 1e+8.
double require_brightest(Brightness& training_views, const std::string& name);

}  // namespace dsasrgs
