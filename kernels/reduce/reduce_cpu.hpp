#pragma once
// CPU body of reduce; arguments are already validated.

#include "reduce/reduce.hpp"

namespace dsasrgs::cpu {

ImageStatistics image_statistics(const Context&, View<const float> rendered, View<const float> reference,
                                 View<const std::uint8_t> valid);

}  // namespace dsasrgs::cpu
