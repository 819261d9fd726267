#pragma once
// CUDA body of filtered back-projection; arguments are already validated.

#include "fdk/fdk_setup.hpp"

namespace dsasrgs::cuda {

void fdk_reconstruct(Context&, const FdkJob&, View<float> volume);

}  // namespace dsasrgs::cuda
