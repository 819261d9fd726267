// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// By how many pixels an image would have to be shifted to look most like another: what wrong poses show first.

#include <cstdint>
#include <span>

#include "dsasrgs/export.hpp"

namespace DSASRGS_API dsasrgs {

/// A shift in whole pixels: (column, row) of the measured image shows what the render has at (column − u, row − v).
struct BestShift {
  int u_px = 0, v_px = 0;
  double error = 0, unshifted_error = 0;  ///< mean square difference with and without it, over the same pixels
};

/// The shift within ±most_px with the least mean square difference over the valid pixels [H,W] (empty: all) that are at
/// least most_px from the border; (0, 0) where nothing is better or no pixel is left. Of large images every k-th row
/// and column is looked at, so that 2^16 pixels are compared. Throws InvalidArgument when sizes disagree or most_px is
/// negative.
BestShift best_shift(std::span<const float> render, std::span<const float> measured,
                     std::span<const std::uint8_t> valid, int width_px, int height_px, int most_px);

}  // namespace dsasrgs
