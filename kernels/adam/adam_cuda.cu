// SPDX-License-Identifier: Apache-2.0
#include "adam/adam_bodies.hpp"
#include "adam/adam_math.hpp"
#include "common/launch.cuh"

namespace dsasrgs::cuda {

namespace {

/// Entries per thread and visit: one 16-byte load of each array, which is what the memory system likes best.
constexpr std::size_t kVector = 4;

struct AdamArrays {
  float *parameter, *gradient, *first_moment, *second_moment;
};

__device__ void update_entry(const AdamCoefficients<float>& c, bool sparse, float& g, float& p, float& m, float& v) {
  if (!sparse || g != 0.0f) adam_entry(c, g, p, m, v);
  g = 0.0f;
}

/// Streams through the four arrays once: reads them, updates and writes back, the gradient as zero. An untouched group
/// of a sparse step costs only the read of its gradients.
__global__ void __launch_bounds__(256)
    adam_kernel(AdamCoefficients<float> c, bool sparse, AdamArrays a, std::size_t n, bool aligned) {
  const std::size_t begin = thread_index() * kVector;
  if (begin >= n) return;
  if (!aligned || begin + kVector > n) {
    for (std::size_t i = begin; i < n && i < begin + kVector; ++i)
      update_entry(c, sparse, a.gradient[i], a.parameter[i], a.first_moment[i], a.second_moment[i]);
    return;
  }
  float4 g = *reinterpret_cast<const float4*>(a.gradient + begin);
  if (sparse && g.x == 0.0f && g.y == 0.0f && g.z == 0.0f && g.w == 0.0f) return;
  float4 p = *reinterpret_cast<const float4*>(a.parameter + begin);
  float4 m = *reinterpret_cast<const float4*>(a.first_moment + begin);
  float4 v = *reinterpret_cast<const float4*>(a.second_moment + begin);
  update_entry(c, sparse, g.x, p.x, m.x, v.x);
  update_entry(c, sparse, g.y, p.y, m.y, v.y);
  update_entry(c, sparse, g.z, p.z, m.z, v.z);
  update_entry(c, sparse, g.w, p.w, m.w, v.w);
  *reinterpret_cast<float4*>(a.gradient + begin) = g;
  *reinterpret_cast<float4*>(a.parameter + begin) = p;
  *reinterpret_cast<float4*>(a.first_moment + begin) = m;
  *reinterpret_cast<float4*>(a.second_moment + begin) = v;
}

bool is_aligned(const float* p) { return reinterpret_cast<std::uintptr_t>(p) % alignof(float4) == 0; }

}  // namespace

void adam_update(Context& ctx, const AdamStep& step, const AdamState& state) {
  const std::size_t n = state.parameter.size();
  const AdamArrays arrays{state.parameter.data(), state.gradient.data(), state.first_moment.data(),
                          state.second_moment.data()};
  const bool aligned = is_aligned(arrays.parameter) && is_aligned(arrays.gradient) && is_aligned(arrays.first_moment) &&
                       is_aligned(arrays.second_moment);
  launch(ctx, "adam_update", one_thread_each((n + kVector - 1) / kVector), adam_kernel, adam_coefficients<float>(step),
         step.mode == AdamMode::sparse, arrays, n, aligned);
}

}  // namespace dsasrgs::cuda
