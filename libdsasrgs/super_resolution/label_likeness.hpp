// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Whether a pseudo-label shows what its view's projection shows. What is held against it is the label averaged onto
/// the detector; a network's inventions, noise and motion artefacts must pass, another unit, a mirrored or an exchanged
/// image must not.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/buffer.hpp"

namespace dsasrgs {

/// Smallest and largest line integral of the valid pixels; low > high where there are none.
struct ProjectionRange {
  float low, high;
};
ProjectionRange valid_range(const Acquisition&);

/// The projection of one view [H,W], NaN where it is not valid; empty where it shows too little above its noise to be
/// held against a label: fewer than 100 valid pixels, or a covariance of neighbouring pixels (noise has none) below
/// (5 % of the range)² or below half the variance.
std::vector<float> comparable_projection(const Acquisition&, int view, ProjectionRange);

/// What is wrong with a label [sH,sW] of a projection as above, in words; nothing where it may be one.
std::optional<std::string> unlikeness(const std::vector<float>& projection, const Detector&,
                                      std::span<const float> label, int scale);

}  // namespace dsasrgs
