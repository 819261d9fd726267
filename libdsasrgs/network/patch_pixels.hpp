// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is done to the pixels of a patch.

#include <cstdint>
#include <span>

#include "dsasrgs/image.hpp"
#include "network/patch_numbers.hpp"

namespace dsasrgs {

/// The part of an image from a row and column on, averaged over `binning` pixels a side and multiplied by `factor`:
/// side_px × side_px. It must lie within the image.
Image cut_patch(const Image&, int row, int column, int side_px, int binning, double factor);
/// Means of scale × scale pixels: what a detector with larger pixels measures.
Image block_means(const Image&, int scale);
bool all_equal(const Image&);
/// One of the eight flips and quarter turns of a square.
Image turned(const Image&, std::size_t which);
void multiply(Image&, double factor);
/// A smooth background of 0 to at most `most`, of one to four hills a side.
void add_blush(Image&, PatchNumbers&, double most);
/// Gaussian noise, the same for the same numbers.
void add_noise(Image&, double standard_deviation, std::uint64_t seed, std::int64_t a, std::uint32_t b);

}  // namespace dsasrgs
