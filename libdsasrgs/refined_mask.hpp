// SPDX-License-Identifier: Apache-2.0
#pragma once
// The mask of a detector on the same detector refined.

#include <cstdint>
#include <span>
#include <vector>

#include "dsasrgs/geometry.hpp"

namespace dsasrgs {

/// Pixel masks [images,H,W] of `detector` with every pixel repeated scale × scale times: [images,sH,sW]. An empty mask
/// (all pixels count) stays empty.
std::vector<std::uint8_t> refined_mask(std::span<const std::uint8_t> mask, const Detector& detector, int scale);

}  // namespace dsasrgs
