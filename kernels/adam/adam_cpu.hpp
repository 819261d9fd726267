#pragma once
// CPU body of adam.hpp; arguments are already validated.

#include "adam/adam.hpp"

namespace dsasrgs::cpu {

void adam_update(const Context&, const AdamStep&, const AdamState&);

}  // namespace dsasrgs::cpu
