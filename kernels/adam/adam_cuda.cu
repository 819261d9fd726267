// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>

#include "adam/adam_bodies.hpp"
#include "adam/adam_math.hpp"
#include "common/launch.cuh"

namespace dsasrgs::cuda {

namespace {

constexpr unsigned kThreads = 256;
/// Entries per thread: one 16-byte load of each array, which is what the memory system likes best.
constexpr std::size_t kVector = 4;
constexpr std::size_t kMaxArrays = 32;  // of one launch

struct Array {
  AdamCoefficients<float> coefficients;
  float *parameter, *first_moment, *second_moment;
  float* gradient;  ///< null: it is in `sums`
  long long* sums;
  const float* unit;  ///< [1] of the sums
  std::size_t n;
  bool sparse, aligned;
};
/// Of one launch, passed by value.
struct Arrays {
  Array array[kMaxArrays];
  unsigned first_block[kMaxArrays];  ///< ascending; what is no array begins where there is no block
};

__device__ void update_entry(const Array& a, float g, float& p, float& m, float& v) {
  if (!a.sparse || g != 0.0f) adam_entry(a.coefficients, g, p, m, v);
}

/// The gradient of an entry, which is left zero.
__device__ float take_gradient(const Array& a, std::size_t i) {
  float g;
  if (a.gradient != nullptr) {
    g = a.gradient[i];
    a.gradient[i] = 0.0f;
  } else {
    g = fixed_point::value(a.sums[i], *a.unit);
    a.sums[i] = 0;
  }
  return g;
}

struct alignas(16) TwoSums {
  long long first, second;
};

/// Those of kVector entries; false where nothing was there, and nothing is written then.
__device__ bool take_gradients(const Array& a, std::size_t begin, float4& g) {
  if (a.gradient != nullptr) {
    auto* const at = reinterpret_cast<float4*>(a.gradient + begin);
    g = *at;
    if (g.x == 0.0f && g.y == 0.0f && g.z == 0.0f && g.w == 0.0f) return false;
    *at = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    return true;
  }
  auto* const at = reinterpret_cast<TwoSums*>(a.sums + begin);
  const TwoSums low = at[0], high = at[1];
  if ((low.first | low.second | high.first | high.second) == 0) {
    g = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    return false;
  }
  at[0] = at[1] = {0, 0};
  const float unit = *a.unit;
  g = make_float4(fixed_point::value(low.first, unit), fixed_point::value(low.second, unit),
                  fixed_point::value(high.first, unit), fixed_point::value(high.second, unit));
  return true;
}

/// Streams through the arrays once: reads them, updates and writes back, the gradient as zero. An untouched group of a
/// sparse update costs only the read of its gradients.
__global__ void __launch_bounds__(kThreads) adam_kernel(const Arrays arrays) {
  unsigned of_block = 0;
  for (unsigned step = kMaxArrays / 2; step > 0; step /= 2)
    if (arrays.first_block[of_block + step] <= blockIdx.x) of_block += step;
  const Array& a = arrays.array[of_block];
  const std::size_t begin = (std::size_t{blockIdx.x - arrays.first_block[of_block]} * kThreads + threadIdx.x) * kVector;
  if (begin >= a.n) return;
  if (!a.aligned || begin + kVector > a.n) {
    for (std::size_t i = begin; i < a.n && i < begin + kVector; ++i)
      update_entry(a, take_gradient(a, i), a.parameter[i], a.first_moment[i], a.second_moment[i]);
    return;
  }
  float4 g;
  if (!take_gradients(a, begin, g) && a.sparse) return;
  float4 p = *reinterpret_cast<const float4*>(a.parameter + begin);
  float4 m = *reinterpret_cast<const float4*>(a.first_moment + begin);
  float4 v = *reinterpret_cast<const float4*>(a.second_moment + begin);
  update_entry(a, g.x, p.x, m.x, v.x);
  update_entry(a, g.y, p.y, m.y, v.y);
  update_entry(a, g.z, p.z, m.z, v.z);
  update_entry(a, g.w, p.w, m.w, v.w);
  *reinterpret_cast<float4*>(a.parameter + begin) = p;
  *reinterpret_cast<float4*>(a.first_moment + begin) = m;
  *reinterpret_cast<float4*>(a.second_moment + begin) = v;
}

template <class T>
bool is_aligned(const T* p) {
  return reinterpret_cast<std::uintptr_t>(p) % alignof(float4) == 0;
}

Array as_argument(const AdamArray& array) {
  const AdamState& s = array.state;
  return {adam_coefficients<float>(array.step),
          s.parameter.data(),
          s.first_moment.data(),
          s.second_moment.data(),
          s.gradient.is_fixed_point() ? nullptr : s.gradient.values.data(),
          s.gradient.sums.data(),
          s.gradient.unit.data(),
          s.parameter.size(),
          array.step.mode == AdamMode::sparse,
          is_aligned(s.parameter.data()) && is_aligned(s.first_moment.data()) && is_aligned(s.second_moment.data()) &&
              is_aligned(s.gradient.values.data()) && is_aligned(s.gradient.sums.data())};
}

}  // namespace

void adam_update(Context& ctx, std::span<const AdamArray> all) {
  constexpr std::size_t kPerBlock = kThreads * kVector;
  for (std::size_t first = 0; first < all.size(); first += kMaxArrays) {
    Arrays arrays{};
    std::fill_n(arrays.first_block, kMaxArrays, ~0u);
    std::size_t blocks = 0, count = 0;
    for (const AdamArray& array : all.subspan(first, std::min(kMaxArrays, all.size() - first))) {
      if (array.state.parameter.empty()) continue;
      arrays.array[count] = as_argument(array);
      arrays.first_block[count++] = static_cast<unsigned>(blocks);
      blocks += (array.state.parameter.size() + kPerBlock - 1) / kPerBlock;
    }
    launch(ctx, "adam_update", one_block_each(blocks, kThreads), adam_kernel, arrays);
  }
}

}  // namespace dsasrgs::cuda
