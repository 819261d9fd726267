#pragma once
// CUDA bodies of the voxeliser; arguments are already validated and N > 0.

#include "voxelize/voxelize.hpp"

namespace dsasrgs::cuda {

void voxelize_forward(Context&, const VoxelizeInput&, View<float> volume);
void voxelize_backward(Context&, const VoxelizeInput&, View<const float> grad_volume, GradientMode,
                       const GaussianGradient&);

}  // namespace dsasrgs::cuda
