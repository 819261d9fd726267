// SPDX-License-Identifier: Apache-2.0
#pragma once
// Stands in for NVIDIA's <cuda_runtime.h> where the .cu files of this project are compiled by g++: the part of the CUDA
// language and runtime they use, run on the host by tests/emulation/. Names and meanings are CUDA's.

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <source_location>
#include <tuple>
#include <utility>

#if defined(DSASRGS_DEVICE_ARITHMETIC)
// Kernels get a device's accuracy (tests/emulation/device_arithmetic.cpp), whatever they call these by.
extern "C" {
float expf(float) noexcept __asm__("inexact_expf");
float exp2f(float) noexcept __asm__("inexact_exp2f");
float expm1f(float) noexcept __asm__("inexact_expm1f");
float logf(float) noexcept __asm__("inexact_logf");
float log1pf(float) noexcept __asm__("inexact_log1pf");
float sinf(float) noexcept __asm__("inexact_sinf");
float cosf(float) noexcept __asm__("inexact_cosf");
}
#endif

// ---- language ----------------------------------------------------------------------------------------------------
#define __global__
#define __device__
#define __host__
#define __constant__ static
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
// A block runs on one host thread, so a thread-local static is what its threads share.
#define __shared__ static thread_local

struct uint3 {
  unsigned x = 0, y = 0, z = 0;
};
struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
struct alignas(8) float2 {
  float x, y;
};
struct float3 {
  float x, y, z;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) int2 {
  int x, y;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float3 make_float3(float x, float y, float z) { return {x, y, z}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline int2 make_int2(int x, int y) { return {x, y}; }
inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

// Set by the scheduler whenever it resumes a thread.
inline constinit thread_local uint3 threadIdx{};
inline constinit thread_local uint3 blockIdx{};
inline constinit thread_local dim3 blockDim{};
inline constinit thread_local dim3 gridDim{};
inline constexpr int warpSize = 32;

// ---- synchronisation and warp collectives --------------------------------------------------------------------------
namespace emulation {

/// Where in the source a thread waits.
using Site = std::source_location;

/// Every thread of the block must come here before any goes on. Returns how many came with a predicate.
int block_barrier(bool predicate, Site site);

enum class Collective : std::uint8_t { shuffle, ballot, sync, add, max, min };
/// The lanes of `mask` exchange 64-bit values; see execution.cpp.
std::uint64_t warp_collective(Collective kind, unsigned mask, std::uint64_t value, int source_lane, Site site);
unsigned lane();
void* dynamic_shared();

template <class T>
T shuffle(unsigned mask, T value, int source_lane, Site site) {
  static_assert(sizeof(T) <= 8);
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  bits = warp_collective(Collective::shuffle, mask, bits, source_lane, site);
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}
/// The source of a shuffle within segments of `width` lanes; out of range: the lane itself, as CUDA defines.
inline int segment_source(int offset_lane, int width) {
  const int own = static_cast<int>(lane()), first = own & ~(width - 1);
  return offset_lane >= first && offset_lane < first + width ? offset_lane : own;
}

}  // namespace emulation

inline void __syncthreads(emulation::Site site = emulation::Site::current()) { emulation::block_barrier(false, site); }
inline int __syncthreads_count(int p, emulation::Site site = emulation::Site::current()) {
  return emulation::block_barrier(p != 0, site);
}
inline int __syncthreads_or(int p, emulation::Site site = emulation::Site::current()) {
  return emulation::block_barrier(p != 0, site) > 0;
}
inline void __syncwarp(unsigned mask = 0xffffffffu, emulation::Site site = emulation::Site::current()) {
  emulation::warp_collective(emulation::Collective::sync, mask, 0, 0, site);
}
template <class T>
T __shfl_sync(unsigned mask, T v, int source, int width = 32, emulation::Site site = emulation::Site::current()) {
  const int first = static_cast<int>(emulation::lane()) & ~(width - 1);
  return emulation::shuffle(mask, v, first + (source & (width - 1)), site);
}
template <class T>
T __shfl_down_sync(unsigned mask, T v, unsigned delta, int width = 32,
                   emulation::Site site = emulation::Site::current()) {
  return emulation::shuffle(mask, v, emulation::segment_source(static_cast<int>(emulation::lane() + delta), width),
                            site);
}
template <class T>
T __shfl_up_sync(unsigned mask, T v, unsigned delta, int width = 32,
                 emulation::Site site = emulation::Site::current()) {
  return emulation::shuffle(
      mask, v, emulation::segment_source(static_cast<int>(emulation::lane()) - static_cast<int>(delta), width), site);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T v, int lane_mask, int width = 32,
                  emulation::Site site = emulation::Site::current()) {
  return emulation::shuffle(mask, v, emulation::segment_source(static_cast<int>(emulation::lane()) ^ lane_mask, width),
                            site);
}
inline unsigned __ballot_sync(unsigned mask, int p, emulation::Site site = emulation::Site::current()) {
  return static_cast<unsigned>(emulation::warp_collective(emulation::Collective::ballot, mask, p != 0, 0, site));
}
inline int __any_sync(unsigned mask, int p, emulation::Site site = emulation::Site::current()) {
  return __ballot_sync(mask, p, site) != 0;
}
inline int __all_sync(unsigned mask, int p, emulation::Site site = emulation::Site::current()) {
  return __ballot_sync(mask, p, site) == mask;
}
inline unsigned __reduce_add_sync(unsigned mask, unsigned v, emulation::Site site = emulation::Site::current()) {
  return static_cast<unsigned>(emulation::warp_collective(emulation::Collective::add, mask, v, 0, site));
}
inline unsigned __reduce_max_sync(unsigned mask, unsigned v, emulation::Site site = emulation::Site::current()) {
  return static_cast<unsigned>(emulation::warp_collective(emulation::Collective::max, mask, v, 0, site));
}
inline unsigned __reduce_min_sync(unsigned mask, unsigned v, emulation::Site site = emulation::Site::current()) {
  return static_cast<unsigned>(emulation::warp_collective(emulation::Collective::min, mask, v, 0, site));
}
inline void __threadfence() {
#if !defined(__SANITIZE_THREAD__)  // which does not know fences: between blocks it wants to see atomic operations
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}
inline void __threadfence_block() { __threadfence(); }

// ---- arithmetic
// ------------------------------------------------------------------------------------------------------
inline int __popc(unsigned v) { return std::popcount(v); }
inline int __ffs(unsigned v) { return v == 0 ? 0 : std::countr_zero(v) + 1; }
inline int __clz(unsigned v) { return std::countl_zero(v); }
inline unsigned __float_as_uint(float v) { return std::bit_cast<unsigned>(v); }
inline float __uint_as_float(unsigned v) { return std::bit_cast<float>(v); }
inline long long __float2ll_rn(float v) { return std::llrint(v); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>((static_cast<std::uint64_t>(a) * b) >> 32);
}
inline float rsqrtf(float v) { return 1.0f / std::sqrt(v); }
template <class T>
T __ldg(const T* p) {
  return *p;
}
using std::max;
using std::min;

// ---- atomics
// ---------------------------------------------------------------------------------------------------------
namespace emulation {
inline std::atomic<bool> counting_atomics{false};
void count_atomic(const void* address);
}  // namespace emulation
template <class T>
T atomicAdd(T* address, T value) {
  if (emulation::counting_atomics.load(std::memory_order_relaxed)) emulation::count_atomic(address);
  return std::atomic_ref<T>(*address).fetch_add(value, std::memory_order_relaxed);
}
template <class T>
T atomicMax(T* address, T value) {
  std::atomic_ref<T> ref(*address);
  T old = ref.load();
  while (old < value && !ref.compare_exchange_weak(old, value)) {
  }
  return old;
}
template <class T>
T atomicMin(T* address, T value) {
  std::atomic_ref<T> ref(*address);
  T old = ref.load();
  while (value < old && !ref.compare_exchange_weak(old, value)) {
  }
  return old;
}
template <class T>
T atomicOr(T* address, T value) {
  return std::atomic_ref<T>(*address).fetch_or(value);
}
template <class T>
T atomicExch(T* address, T value) {
  return std::atomic_ref<T>(*address).exchange(value);
}
template <class T>
T atomicCAS(T* address, T expected, T value) {
  std::atomic_ref<T>(*address).compare_exchange_strong(expected, value);
  return expected;
}

// ---- runtime
// ---------------------------------------------------------------------------------------------------------
enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidDevice = 101,
  cudaErrorNoKernelImageForDevice = 209,
  cudaErrorInvalidResourceHandle = 400,
  cudaErrorNotReady = 600,
  cudaErrorLaunchFailure = 719,
  cudaErrorStreamCaptureUnsupported = 900,
  cudaErrorStreamCaptureUnjoined = 904,
  cudaErrorGraphExecUpdateFailure = 910
};
/// Of the last failure on this host thread, in words.
const char* cudaGetErrorString(cudaError_t);
cudaError_t cudaGetLastError();
cudaError_t cudaPeekAtLastError();

namespace emulation {
struct Stream;
struct Event;
struct Graph;
struct GraphExec;
}  // namespace emulation
using cudaStream_t = emulation::Stream*;
using cudaEvent_t = emulation::Event*;
using cudaGraph_t = emulation::Graph*;
using cudaGraphExec_t = emulation::GraphExec*;

#define CUDART_VERSION 13000
inline const cudaStream_t cudaStreamLegacy = reinterpret_cast<cudaStream_t>(1);

struct cudaDeviceProp {
  char name[256];
  int major, minor, multiProcessorCount;
  std::size_t totalGlobalMem, sharedMemPerBlockOptin;
};
cudaError_t cudaGetDeviceCount(int*);
cudaError_t cudaGetDevice(int*);
cudaError_t cudaSetDevice(int);
enum cudaDeviceAttr { cudaDevAttrComputeCapabilityMajor = 75, cudaDevAttrMemoryPoolsSupported = 115 };
cudaError_t cudaDeviceGetAttribute(int*, cudaDeviceAttr, int device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp*, int device);

enum cudaMemcpyKind { cudaMemcpyHostToHost, cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
inline constexpr unsigned cudaStreamNonBlocking = 1;
cudaError_t cudaStreamCreateWithFlags(cudaStream_t*, unsigned);
cudaError_t cudaStreamDestroy(cudaStream_t);
cudaError_t cudaStreamSynchronize(cudaStream_t);
cudaError_t cudaStreamGetDevice(cudaStream_t, int*);
cudaError_t cudaFreeAsync(void*, cudaStream_t);
cudaError_t cudaMalloc(void**, std::size_t);
cudaError_t cudaFree(void*);
cudaError_t cudaMallocHost(void**, std::size_t);
cudaError_t cudaFreeHost(void*);
cudaError_t cudaMemcpyAsync(void*, const void*, std::size_t, cudaMemcpyKind, cudaStream_t);
cudaError_t cudaMemsetAsync(void*, int, std::size_t, cudaStream_t);
namespace emulation {
/// For a kernel that writes to pinned memory, before it is launched: as for a copy, the memory is NaN until then where
/// work is deferred, and must not be freed before somebody has waited.
void expect_pinned_write(void* to, std::size_t bytes, cudaStream_t stream);
}  // namespace emulation
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total);

namespace emulation {
struct Pool;
}
using cudaMemPool_t = emulation::Pool*;
enum cudaMemPoolAttr { cudaMemPoolAttrReleaseThreshold = 4 };
enum cudaMemAllocationType { cudaMemAllocationTypeInvalid, cudaMemAllocationTypePinned };
enum cudaMemLocationType { cudaMemLocationTypeInvalid, cudaMemLocationTypeDevice };
struct cudaMemPoolProps {
  cudaMemAllocationType allocType;
  struct {
    cudaMemLocationType type;
    int id;
  } location;
};
cudaError_t cudaMemPoolCreate(cudaMemPool_t*, const cudaMemPoolProps*);
cudaError_t cudaMemPoolDestroy(cudaMemPool_t);
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*);
cudaError_t cudaMallocFromPoolAsync(void**, std::size_t, cudaMemPool_t, cudaStream_t);

inline constexpr unsigned cudaEventDefault = 0, cudaEventDisableTiming = 2;
cudaError_t cudaEventCreateWithFlags(cudaEvent_t*, unsigned);
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t);
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned flags);
cudaError_t cudaEventQuery(cudaEvent_t);
cudaError_t cudaEventSynchronize(cudaEvent_t);
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t, cudaEvent_t);
cudaError_t cudaEventDestroy(cudaEvent_t);

enum cudaStreamCaptureMode { cudaStreamCaptureModeGlobal, cudaStreamCaptureModeThreadLocal };
enum cudaStreamCaptureStatus { cudaStreamCaptureStatusNone, cudaStreamCaptureStatusActive };
struct cudaGraphExecUpdateResultInfo {
  int result;
};
cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode);
cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t*);
cudaError_t cudaStreamIsCapturing(cudaStream_t, cudaStreamCaptureStatus*);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t*, cudaGraph_t, unsigned long long flags = 0);
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t, cudaGraph_t, cudaGraphExecUpdateResultInfo*);
cudaError_t cudaGraphLaunch(cudaGraphExec_t, cudaStream_t);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t);
cudaError_t cudaGraphDestroy(cudaGraph_t);

struct cudaFuncAttributes {};
namespace emulation {
cudaError_t kernel_image();
}
template <class F>
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes*, F*) {
  return emulation::kernel_image();
}
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize };
namespace emulation {
cudaError_t allow_shared_memory(const void* kernel, int bytes);
}
template <class F>
cudaError_t cudaFuncSetAttribute(F* kernel, cudaFuncAttribute, int bytes) {
  return emulation::allow_shared_memory(reinterpret_cast<const void*>(kernel), bytes);
}

struct cudaLaunchAttribute;
struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  std::size_t dynamicSmemBytes = 0;
  cudaStream_t stream = nullptr;
  cudaLaunchAttribute* attrs = nullptr;
  unsigned numAttrs = 0;
};
namespace emulation {
cudaError_t submit_kernel(const cudaLaunchConfig_t&, const void* kernel, std::function<void()> thread_body);
}
template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...), Arguments&&... args) {
  return emulation::submit_kernel(
      *config, reinterpret_cast<const void*>(kernel),
      [kernel, bound = std::tuple<Parameters...>(std::forward<Arguments>(args)...)] { std::apply(kernel, bound); });
}
