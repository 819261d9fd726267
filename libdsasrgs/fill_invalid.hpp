#pragma once
// Values for pixels that have none.

#include <cstdint>
#include <span>

namespace dsasrgs {

/// Invalid pixels of an image [H,W] take the value of a valid one nearby (breadth-first over the four neighbours), so
/// that interpolation and windows carry nothing from under them into their surroundings. Where none is valid, or
/// `valid` is empty (all are), the image stays.
void fill_invalid(std::span<const std::uint8_t> valid, int width_px, std::span<float> image);

}  // namespace dsasrgs
