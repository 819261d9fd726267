// SPDX-License-Identifier: Apache-2.0
#pragma once
// Values for pixels that have none.

#include <cstdint>
#include <span>
#include <vector>

#include "dsasrgs/acquisition.hpp"

namespace dsasrgs {

/// Invalid pixels of an image [H,W] take the value of a valid one nearby (breadth-first over the four neighbours), so
/// that interpolation and windows carry nothing from under them into their surroundings. Where none is valid, or
/// `valid` is empty (all are), the image stays.
void fill_invalid(std::span<const std::uint8_t> valid, int width_px, std::span<float> image);

/// A view's projection with such values.
std::vector<float> filled_projection(const Acquisition&, int view);

}  // namespace dsasrgs
