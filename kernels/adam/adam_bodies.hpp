// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of adam.hpp on both backends; arguments are already validated.

#include "adam/adam.hpp"

namespace dsasrgs::cpu {

void adam_update(const Context&, std::span<const AdamArray>);

}  // namespace dsasrgs::cpu

namespace dsasrgs::cuda {

void adam_update(Context&, std::span<const AdamArray>);

}  // namespace dsasrgs::cuda
