// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Element-wise steps on images and other arrays, and the sums that go with them.

#include <array>
#include <cstddef>
#include <cstdint>

#include "dsasrgs/buffer.hpp"

namespace dsasrgs {

/// out ← gain · in + offset, element by element; in and out may be the same memory. Throws InvalidArgument when sizes
/// disagree.
void affine_values(Context&, float gain, float offset, View<const float> in, View<float> out);
/// out ← factor · in, element by element; in and out may be the same memory. Throws InvalidArgument when sizes
/// disagree.
void scale_values(Context&, float factor, View<const float> in, View<float> out);

/// out += factor · in, element by element. Throws InvalidArgument when sizes disagree.
void add_scaled(Context&, float factor, View<const float> in, View<float> out);

/// out += a · b, element by element. Throws InvalidArgument when sizes disagree.
void add_product(Context&, View<const float> a, View<const float> b, View<float> out);

/// Σ a_i and Σ a_i b_i: the derivatives of a loss by the offset and the gain of affine_values, where a is its gradient
/// and b the input.
struct Sums {
  double sum = 0, product = 0;
};
/// In double, added in a fixed order: the same bits from run to run and for any thread count. Waits for the result.
/// Throws InvalidArgument when sizes disagree.
Sums sum_and_product(Context&, View<const float> a, View<const float> b);

/// Number of entries that are not zero. Waits for the result.
std::size_t count_valid(Context&, View<const std::uint8_t> valid);

/// As many as find_non_finite looks at.
using WatchedArrays = std::array<View<const float>, 16>;
/// What find_non_finite found, and memory that it keeps from call to call; allocated the first time.
struct NonFinite {
  Buffer<std::uint32_t> found;    ///< [1] bit i says whether array i holds a number that is not finite
  Buffer<std::uint32_t> scratch;  ///< CUDA: [2], zero between calls
};
/// An empty array has none. Asynchronous, deterministic.
void find_non_finite(Context&, const WatchedArrays&, NonFinite&);

}  // namespace dsasrgs
