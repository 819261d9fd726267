// SPDX-License-Identifier: Apache-2.0
#include "brightness.hpp"

#include <algorithm>
#include <cstddef>

#include "common/plain_number.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/super_resolver.hpp"
#include "percentile.hpp"

namespace dsasrgs {

namespace {

constexpr double kBrightPixels = 0.999, kBrightImages = 0.9;  // not the largest, which may be a defect

}  // namespace

void Brightness::add(std::span<const float> image, std::span<const std::uint8_t> valid) {
  HostVector<float> seen;
  for (std::size_t i = 0; i < image.size(); ++i) {
    if (!valid.empty() && valid[i] == 0) continue;
    seen.push_back(image[i]);
    if (image[i] > 0) positive_.push_back(image[i]);
  }
  if (!seen.empty()) of_images_.push_back(percentile(seen, kBrightPixels));
}

double Brightness::brightest() {
  if (positive_.empty()) return 0;
  // The second is what a vessel that is bright in a part of the images, or thin in all of them, makes the first miss.
  return static_cast<double>(std::max(percentile(positive_, kBrightPixels), percentile(of_images_, kBrightImages)));
}

double require_brightest(Brightness& training_views, const std::string& name) {
  const double brightest = training_views.brightest();
  if (brightest == 0) throw BadInput(name, "/projections", "a positive line integral in a training view", "none");
  if (constexpr double kLeast = 1e-6, kMost = 1e8; brightest < kLeast || brightest > kMost)
    throw BadInput(name, "/projections", "brightest line integrals of 1e-6 to 1e+8, whose fourth powers are floats",
                   plain_number(brightest));
  return brightest;
}

double brightest_line_integral(const Acquisition& acquisition) {
  Brightness brightness;
  for (const int view : acquisition.training_views())
    brightness.add(acquisition.projection(view), acquisition.valid_pixels(view));
  return require_brightest(brightness, acquisition.name);
}

}  // namespace dsasrgs
