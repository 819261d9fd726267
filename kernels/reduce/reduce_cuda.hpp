#pragma once
// CUDA body of reduce; arguments are already validated.

#include "reduce/reduce.hpp"

namespace dsasrgs::cuda {

ImageStatistics image_statistics(Context&, View<const float> rendered, View<const float> reference,
                                 View<const std::uint8_t> valid);

}  // namespace dsasrgs::cuda
