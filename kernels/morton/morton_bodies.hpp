// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of morton.hpp on both backends; arguments are already validated.

#include "morton/morton.hpp"

namespace dsasrgs::cpu {

void morton_order(const Context&, View<const float> position, View<std::uint32_t> order);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void morton_order(Context&, View<const float> position, View<std::uint32_t> order);

}  // namespace dsasrgs::cuda
