#pragma once
// The bodies of hash_grid.hpp on both backends; arguments are already validated.

#include <vector>

#include "hash_grid/hash_grid.hpp"

namespace dsasrgs::cpu {

void hash_grid_forward(const Context&, int dimensions, const std::vector<HashGridLevel>&, const HashGridInput&,
                       View<float> features);
void hash_grid_backward(const Context&, int dimensions, const std::vector<HashGridLevel>&, const HashGridInput&,
                        View<const float> grad_features, View<float> grad_table, GradientMode,
                        View<float> grad_position);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void hash_grid_forward(Context&, int dimensions, const std::vector<HashGridLevel>&, const HashGridInput&,
                       View<float> features);
void hash_grid_backward(Context&, int dimensions, const std::vector<HashGridLevel>&, const HashGridInput&,
                        View<const float> grad_features, View<float> grad_table, GradientMode,
                        View<float> grad_position, HashGridScratch&, GradientSum);

}  // namespace dsasrgs::cuda
