// SPDX-License-Identifier: Apache-2.0
#include "elementwise/elementwise.hpp"

#include "common/has_cuda.hpp"
#include "common/require.hpp"
#include "elementwise/elementwise_bodies.hpp"

namespace dsasrgs {

void affine_values(Context& ctx, float gain, float offset, View<const float> in, View<float> out) {
  require_size("affine_values", "out", in.size(), out.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::affine_values(ctx, gain, offset, in, out);
  cpu::affine_values(ctx, gain, offset, in, out);
}

void scale_values(Context& ctx, float factor, View<const float> in, View<float> out) {
  affine_values(ctx, factor, 0, in, out);
}

void add_scaled(Context& ctx, float factor, View<const float> in, View<float> out) {
  require_size("add_scaled", "out", in.size(), out.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::add_scaled(ctx, factor, in, out);
  cpu::add_scaled(ctx, factor, in, out);
}

void add_product(Context& ctx, View<const float> a, View<const float> b, View<float> out) {
  require_size("add_product", "b", a.size(), b.size());
  require_size("add_product", "out", a.size(), out.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::add_product(ctx, a, b, out);
  cpu::add_product(ctx, a, b, out);
}

Sums sum_and_product(Context& ctx, View<const float> a, View<const float> b) {
  require_size("sum_and_product", "b", a.size(), b.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::sum_and_product(ctx, a, b);
  return cpu::sum_and_product(ctx, a, b);
}

std::size_t count_valid(Context& ctx, View<const std::uint8_t> valid) {
  if (valid.empty()) return 0;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::count_valid(ctx, valid);
  return cpu::count_valid(valid);
}

void find_non_finite(Context& ctx, const WatchedArrays& arrays, NonFinite& result) {
  result.found.resize(ctx, 1);
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) {
      if (result.scratch.size() == 0) result.scratch = Buffer<std::uint32_t>::zeros(ctx, 2);
      return cuda::find_non_finite(ctx, arrays, result);
    }
  cpu::find_non_finite(ctx, arrays, result.found);
}

}  // namespace dsasrgs
