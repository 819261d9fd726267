// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the CUDA kernels of convolve are held against: the matrix of shifted images (im2col) written to memory, then one
// product of cuBLAS per image; fp32, without bias and ReLU.

#include <memory>

#include "convolve/convolve.hpp"

namespace dsasrgs::bench::cuda {

class CublasConvolution {
 public:
  /// Throws CudaError where libcublas cannot be loaded: it is looked for at run time, so that the benchmarks run on
  /// machines that have the driver alone.
  CublasConvolution(Context&, const ConvolveShape&);
  ~CublasConvolution();
  void forward(Context&, View<const float> weights, View<const float> image, View<float> output);

 private:
  struct Library;
  std::unique_ptr<Library> library_;
  ConvolveShape shape_;
  Buffer<float> columns_;  ///< [N, C_in · 9, H · W]
};

}  // namespace dsasrgs::bench::cuda
