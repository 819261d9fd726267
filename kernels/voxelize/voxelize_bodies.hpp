// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of voxelize.hpp on both backends; arguments are already validated and N > 0.

#include "voxelize/voxelize.hpp"

namespace dsasrgs::cpu {

void voxelize_forward(const Context&, const VoxelizeInput&, View<float> volume);
void voxelize_backward(const Context&, const VoxelizeInput&, View<const float> grad_volume, GradientMode,
                       const GaussianGradient&);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void voxelize_forward(Context&, const VoxelizeInput&, View<float> volume);
void voxelize_backward(Context&, const VoxelizeInput&, View<const float> grad_volume, GradientMode,
                       const GaussianGradient&);

}  // namespace dsasrgs::cuda
