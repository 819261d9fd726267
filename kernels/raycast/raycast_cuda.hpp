#pragma once
// CUDA body of raycast; arguments are checked by raycast.cpp.

#include "raycast/raycast.hpp"

namespace dsasrgs::cuda {

void raycast(Context&, const RaycastInput&, View<float> image);

}  // namespace dsasrgs::cuda
