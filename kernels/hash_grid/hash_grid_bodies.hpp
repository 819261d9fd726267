// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of hash_grid.hpp on both backends; arguments are already validated.

#include "hash_grid/hash_grid.hpp"

namespace dsasrgs::cpu {

void hash_grid_forward(const Context&, const HashGridInput&, View<float> features);
void hash_grid_backward(Context&, const HashGridInput&, View<const float> grad_features, const HashGridGradient&,
                        HashGridScratch&);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void hash_grid_forward(Context&, const HashGridInput&, View<float> features);
void hash_grid_backward(Context&, const HashGridInput&, View<const float> grad_features, const HashGridGradient&,
                        HashGridScratch&);

}  // namespace dsasrgs::cuda
