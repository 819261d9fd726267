// SPDX-License-Identifier: Apache-2.0
#pragma once
// bfloat16 numbers, and four numbers at a time of either type.

#include <cuda_runtime.h>

#include <cstdint>
#if defined(__CUDACC__)
#include <cuda_bf16.h>
#endif

#include "common/bfloat16.hpp"

namespace dsasrgs::cuda {

/// The upper half of a float.
struct Bf16 {
  std::uint16_t bits;
};

__device__ inline float to_float(float v) { return v; }
__device__ inline float to_float(Bf16 v) { return bf16_value(v.bits); }

/// Two floats rounded to nearest even, the first in the lower half.
__device__ inline unsigned bf16_pair(float low, float high) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const unsigned*>(&pair);
#else
  return bf16_bits(low) | static_cast<unsigned>(bf16_bits(high)) << 16;
#endif
}

__device__ inline void put(float& to, float v) { to = v; }
__device__ inline void put(Bf16& to, float v) { to.bits = static_cast<std::uint16_t>(bf16_pair(v, 0) & 0xffffu); }

/// Four in a row, aligned to their size.
__device__ inline float4 load4(const float* p) { return *reinterpret_cast<const float4*>(p); }
__device__ inline void store4(float* p, float4 v) { *reinterpret_cast<float4*>(p) = v; }
__device__ inline float4 load4(const Bf16* p) {
  const uint2 v = *reinterpret_cast<const uint2*>(p);
  return make_float4(__uint_as_float(v.x << 16), __uint_as_float(v.x & 0xffff0000u), __uint_as_float(v.y << 16),
                     __uint_as_float(v.y & 0xffff0000u));
}
__device__ inline void store4(Bf16* p, float4 v) {
  *reinterpret_cast<uint2*>(p) = make_uint2(bf16_pair(v.x, v.y), bf16_pair(v.z, v.w));
}

}  // namespace dsasrgs::cuda
