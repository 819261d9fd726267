// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of hash_grid.hpp on both backends; arguments are already validated.

#include "hash_grid/hash_grid.hpp"

namespace dsasrgs::cpu {

void hash_grid_forward(const Context&, std::span<const HashGridInput>, View<float> features);
void hash_grid_backward(Context&, std::span<const HashGridInput>, View<const float> grad_features,
                        const HashGridGradient&, HashGridScratch&);
void hash_grid_take_gradient(const Context&, HashGridScratch&, std::size_t first_level, std::size_t end_level,
                             View<float> gradient);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void hash_grid_forward(Context&, std::span<const HashGridInput>, View<float> features);
void hash_grid_backward(Context&, std::span<const HashGridInput>, View<const float> grad_features,
                        const HashGridGradient&, HashGridScratch&);
void hash_grid_take_gradient(Context&, HashGridScratch&, std::size_t first_level, std::size_t end_level,
                             View<float> gradient);

}  // namespace dsasrgs::cuda
