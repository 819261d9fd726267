// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of elementwise.hpp on both backends; arguments are already validated.

#include "elementwise/elementwise.hpp"

namespace dsasrgs::cpu {

void affine_values(Context&, float gain, float offset, View<const float> in, View<float> out);
void add_scaled(Context&, float factor, View<const float> in, View<float> out);
void add_product(Context&, View<const float> a, View<const float> b, View<float> out);
Sums sum_and_product(Context&, View<const float> a, View<const float> b);
std::size_t count_valid(View<const std::uint8_t> valid);
void find_non_finite(Context&, const WatchedArrays&, View<std::uint32_t> found);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void affine_values(Context&, float gain, float offset, View<const float> in, View<float> out);
void add_scaled(Context&, float factor, View<const float> in, View<float> out);
void add_product(Context&, View<const float> a, View<const float> b, View<float> out);
Sums sum_and_product(Context&, View<const float> a, View<const float> b);
std::size_t count_valid(Context&, View<const std::uint8_t> valid);
void find_non_finite(Context&, const WatchedArrays&, NonFinite&);

}  // namespace dsasrgs::cuda
