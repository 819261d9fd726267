#pragma once
// CPU body of raycast; arguments are checked by raycast.cpp.

#include "raycast/raycast.hpp"

namespace dsasrgs::cpu {

void raycast(Context&, const RaycastInput&, View<float> image);

}  // namespace dsasrgs::cpu
