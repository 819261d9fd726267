// SPDX-License-Identifier: Apache-2.0
#pragma once
// How far a label agrees with the measurement it was made from (docs/method.md section 3, the target `weighted`).

#include <cstdint>
#include <span>
#include <vector>

#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

/// Trust [sH,sW] in (0,1], the same for the s × s pixels over a measured one: 1 / (1 + (r / 3σ)²), r the difference of
/// the label averaged over these pixels and the measurement, and σ its robust standard deviation over the valid pixels
/// of the view (median |r| / 0.6745), at least 0.2 % of `unit`. Where s × s pixels are not what was measured, the label
/// shows what is not there. Images in host memory: label [sH,sW], measured [H,W], valid [H,W] or empty.
std::vector<float> label_consistency(std::span<const float> label, std::span<const float> measured,
                                     std::span<const std::uint8_t> valid, const Detector& detector, int scale,
                                     double unit);

}  // namespace dsasrgs
