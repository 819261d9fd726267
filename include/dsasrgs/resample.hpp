// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Images between a detector and the same detector refined, half-pixel centres throughout.

#include <span>
#include <vector>

#include "dsasrgs/export.hpp"
#include "dsasrgs/geometry.hpp"

namespace DSASRGS_API dsasrgs {

/// Keys' bicubic interpolation (a = −0.5; beyond the border the edge pixel is repeated) of an image [H,W] of
/// `detector`: [sH,sW] on detector.refined(scale). Throws InvalidArgument when sizes disagree or scale < 1.
std::vector<float> upsample_image(std::span<const float> image, const Detector& detector, int scale);

/// Mean of each s × s block (detector binning) of an image [sH,sW] of detector.refined(scale): [H,W] on `detector`.
/// Throws InvalidArgument when sizes disagree or scale < 1.
std::vector<float> bin_image(std::span<const float> image, const Detector& detector, int scale);

}  // namespace dsasrgs
