// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of raycast.hpp on both backends; arguments are already validated.

#include "raycast/raycast.hpp"

namespace dsasrgs::cpu {

void raycast(Context&, const RaycastInput&, View<float> image);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void raycast(Context&, const RaycastInput&, View<float> image);

}  // namespace dsasrgs::cuda
