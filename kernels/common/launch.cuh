// SPDX-License-Identifier: Apache-2.0
#pragma once
// The only place that launches kernels: named, checked, and nothing for an empty grid.

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "dsasrgs/context.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs::cuda {

inline cudaStream_t stream_of(const Context& ctx) { return static_cast<cudaStream_t>(ctx.stream()); }

/// Throws CudaError("what: reason") unless the call succeeded.
inline void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  const std::string reason = cudaGetErrorString(status);
  cudaGetLastError();  // a later call must not report it again
  throw CudaError(std::string(what) + ": " + reason);
}

/// Makes a device current on this thread, and puts back what was. (CUDA makes its context on that other device, too,
/// where the process has none yet.) A device that cannot be made current is reported by the calls that follow.
class OnDevice {
 public:
  explicit OnDevice(int device) noexcept {
    if (cudaGetDevice(&before_) == cudaSuccess && before_ != device) changed_ = cudaSetDevice(device) == cudaSuccess;
  }
  ~OnDevice() {
    if (changed_) cudaSetDevice(before_);
  }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

 private:
  int before_ = 0;
  bool changed_ = false;
};

/// A one-dimensional launch. `threads` per block is a multiple of 32.
struct Grid {
  dim3 blocks, threads;
  std::size_t shared_bytes = 0;  ///< dynamic shared memory
};
/// One thread for each of n elements.
inline Grid one_thread_each(std::size_t n, unsigned threads = 256) {
  return {dim3(static_cast<unsigned>((n + threads - 1) / threads)), dim3(threads)};
}
/// One group of `lanes` threads (a divisor of 32) for each of n elements.
inline Grid lanes_each(std::size_t n, unsigned lanes, unsigned threads = 256) {
  return {dim3(static_cast<unsigned>((n * lanes + threads - 1) / threads)), dim3(threads)};
}
/// One block for each of n elements.
inline Grid one_block_each(std::size_t n, unsigned threads = 256, std::size_t shared_bytes = 0) {
  return {dim3(static_cast<unsigned>(n)), dim3(threads), shared_bytes};
}

/// Launches kernel(args…) in stream order; an empty grid launches nothing. Throws CudaError naming the kernel when the
/// launch fails; in Debug builds also when the kernel itself does (outside graph capture).
template <class... Parameters, class... Arguments>
void launch(const Context& ctx, const char* name, const Grid& grid, void (*kernel)(Parameters...),
            Arguments&&... args) {
  static_assert((sizeof(Parameters) + ... + 0) <= 4096, "parameters of a kernel: no more on every device");
  if (grid.blocks.x == 0 || grid.blocks.y == 0 || grid.blocks.z == 0) return;
  const OnDevice current(ctx.device());
  constexpr std::size_t kDefaultSharedBytes = 48 * 1024;  // more must be asked for
  if (grid.shared_bytes > kDefaultSharedBytes)
    check(
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(grid.shared_bytes)),
        name);
  cudaLaunchConfig_t config{};
  config.gridDim = grid.blocks;
  config.blockDim = grid.threads;
  config.dynamicSmemBytes = grid.shared_bytes;
  config.stream = stream_of(ctx);
  check(cudaLaunchKernelEx(&config, kernel, std::forward<Arguments>(args)...), name);
#if !defined(NDEBUG)
  cudaStreamCaptureStatus capturing;
  check(cudaStreamIsCapturing(config.stream, &capturing), name);
  if (capturing == cudaStreamCaptureStatusNone) check(cudaStreamSynchronize(config.stream), name);
#endif
}

/// This block's dynamic shared memory.
template <class T>
__device__ T* dynamic_shared() {
#if defined(__CUDACC__)
  extern __shared__ __align__(128) unsigned char bytes[];
  return reinterpret_cast<T*>(bytes);
#else
  return static_cast<T*>(emulation::dynamic_shared());
#endif
}

/// Index of this thread among all threads of a one-dimensional launch.
__device__ inline std::size_t thread_index() { return std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; }
/// This thread's lane in its warp.
__device__ inline unsigned lane_index() { return threadIdx.x & 31u; }

inline constexpr unsigned kFullWarp = 0xffffffffu;

/// Σ of v over groups of `lanes` neighbouring lanes (a power of two), the same value in each lane; fixed order.
template <int kLanes = 32, class T>
__device__ T sum_over_lanes(T v, unsigned mask = kFullWarp) {
  for (int step = kLanes / 2; step > 0; step /= 2) v += __shfl_xor_sync(mask, v, step);
  return v;
}

}  // namespace dsasrgs::cuda
