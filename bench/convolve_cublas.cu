// SPDX-License-Identifier: Apache-2.0
#include <cublas_v2.h>
#include <dlfcn.h>

#include <string>

#include "common/launch.cuh"
#include "convolve/convolve_math.hpp"
#include "convolve_cublas.hpp"

namespace dsasrgs::bench::cuda {

using namespace dsasrgs::cuda;

namespace {

__global__ void shifted_images_kernel(ConvolveShape shape, std::size_t n, const float* image, float* columns) {
  const std::size_t i = thread_index(), pixels = convolve_pixels(shape);
  if (i >= n) return;
  const int pixel = static_cast<int>(i % pixels), tap = static_cast<int>(i / pixels % kConvolveTaps);
  const int row = pixel / shape.width_px + tap / 3 - 1, column = pixel % shape.width_px + tap % 3 - 1;
  const bool inside = row >= 0 && column >= 0 && row < shape.height_px && column < shape.width_px;
  columns[i] =
      inside ? image[i / pixels / kConvolveTaps * pixels + static_cast<std::size_t>(row * shape.width_px + column)]
             : 0.0f;
}

void check_cublas(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS) throw CudaError(std::string(what) + ": status " + std::to_string(status));
}

}  // namespace

struct CublasConvolution::Library {
  Library() {
    const std::string name = "libcublas.so." + std::to_string(CUBLAS_VER_MAJOR);
    handle = dlopen(name.c_str(), RTLD_NOW);
    if (handle == nullptr) throw CudaError(name + " cannot be loaded");
    find(create, "cublasCreate_v2");
    find(destroy, "cublasDestroy_v2");
    find(set_stream, "cublasSetStream_v2");
    find(multiply, "cublasSgemmStridedBatched");
    check_cublas(create(&cublas), "cublasCreate");
  }
  ~Library() { destroy(cublas); }  // the library stays loaded: it does not like to be closed
  template <class Function>
  void find(Function*& function, const char* name) {
    function = reinterpret_cast<Function*>(dlsym(handle, name));
    if (function == nullptr) throw CudaError(std::string("libcublas has no ") + name);
  }

  void* handle = nullptr;
  cublasHandle_t cublas = nullptr;
  decltype(cublasCreate_v2)* create = nullptr;
  decltype(cublasDestroy_v2)* destroy = nullptr;
  decltype(cublasSetStream_v2)* set_stream = nullptr;
  decltype(cublasSgemmStridedBatched)* multiply = nullptr;
};

CublasConvolution::CublasConvolution(Context& ctx, const ConvolveShape& shape)
    : library_(std::make_unique<Library>()),
      shape_(shape),
      columns_(ctx, static_cast<std::size_t>(shape.images) * static_cast<std::size_t>(shape.inputs) * kConvolveTaps *
                        convolve_pixels(shape)) {
  check_cublas(library_->set_stream(library_->cublas, stream_of(ctx)), "cublasSetStream");
}
CublasConvolution::~CublasConvolution() = default;

void CublasConvolution::forward(Context& ctx, View<const float> weights, View<const float> image, View<float> output) {
  launch(ctx, "shifted_images", one_thread_each(columns_.size()), shifted_images_kernel, shape_, columns_.size(),
         image.data(), columns_.data());
  // cuBLAS counts along columns: outputᵀ [H·W, C_out] = columnsᵀ [H·W, C_in·9] · weightsᵀ [C_in·9, C_out].
  const int pixels = static_cast<int>(convolve_pixels(shape_)), depth = shape_.inputs * kConvolveTaps;
  const float one = 1, zero = 0;
  check_cublas(
      library_->multiply(library_->cublas, CUBLAS_OP_N, CUBLAS_OP_N, pixels, shape_.outputs, depth, &one,
                         columns_.data(), pixels, static_cast<long long>(pixels) * depth, weights.data(), depth, 0,
                         &zero, output.data(), pixels, static_cast<long long>(pixels) * shape_.outputs, shape_.images),
      "cublasSgemmStridedBatched");
}

}  // namespace dsasrgs::bench::cuda
