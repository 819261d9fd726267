// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// The order of points along a space-filling curve, so that what is close in space is close in memory.

#include <cstdint>

#include "dsasrgs/buffer.hpp"

namespace dsasrgs {

/// Bits of a point's number along each axis.
inline constexpr int kMortonBits = 10;

/// order [N] ← the points' indices by ascending Morton number (Morton 1966): of a point in cell (x,y,z) of the unit
/// box's 2^kMortonBits cells a side, bits …z₁y₁x₁z₀y₀x₀. Points of one cell stay in their order. position [N,3] in the
/// unit box; what lies outside counts to the nearest cell, and NaN as 0. Deterministic, the same on every backend.
/// N = 0: nothing. Throws InvalidArgument when sizes disagree or N has more than 31 bits.
void morton_order(Context&, View<const float> position, View<std::uint32_t> order);

}  // namespace dsasrgs
