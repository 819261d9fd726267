// SPDX-License-Identifier: Apache-2.0
#pragma once
// How wrong a render is where it shows something, and how much of that is noise.

#include <vector>

#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

/// Sums over the valid pixels of a view whose render is above a hundredth of its brightest.
struct ShownPixels {
  double misfit = 0;     ///< Σ residual²
  double noise = 0;      ///< what of it is noise: the mean residual² of the pixels around them, for each
  double predicted = 0;  ///< Σ of the predicted variance
};

/// Of one view: render, residual, predicted variance and which pixels count (not 0), all [H,W]. Around: within a
/// twentieth of the detector's width, at least 2 pixels.
ShownPixels shown_pixels(const Detector&, const std::vector<float>& render, const std::vector<float>& residual,
                         const std::vector<float>& predicted, const std::vector<float>& counts);

}  // namespace dsasrgs
