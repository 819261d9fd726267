#pragma once
// CPU bodies of the voxeliser; arguments are already validated and N > 0.

#include "voxelize/voxelize.hpp"

namespace dsasrgs::cpu {

void voxelize_forward(const Context&, const VoxelizeInput&, View<float> volume);
void voxelize_backward(const Context&, const VoxelizeInput&, View<const float> grad_volume, GradientMode,
                       const GaussianGradient&);

}  // namespace dsasrgs::cpu
