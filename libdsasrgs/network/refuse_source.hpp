// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sources that cannot be trained on, refused by name.

#include <cmath>
#include <string>

#include "dsasrgs/error.hpp"
#include "dsasrgs/image.hpp"
#include "require_finite.hpp"

namespace dsasrgs {

[[noreturn]] inline void refuse_source(const std::string& name, const std::string& why) {
  throw InvalidArgument("TrainingPatches: source " + name + ": " + why);
}

/// `where` is such as "image 3: ".
inline void require_finite_image(const std::string& name, const std::string& where, const Image& image) {
  for (std::size_t i = 0; i < image.values.size(); ++i)
    if (!std::isfinite(image.values[i]))
      refuse_source(name, where + "expected finite line integrals, found " + std::to_string(image.values[i]) + " at " +
                              pixel_name(i, image.width_px));
}

}  // namespace dsasrgs
