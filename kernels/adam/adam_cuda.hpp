#pragma once

#include "adam/adam.hpp"

namespace dsasrgs::cuda {

void adam_update(Context&, const AdamStep&, const AdamState&);

}  // namespace dsasrgs::cuda
