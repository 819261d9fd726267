// SPDX-License-Identifier: Apache-2.0
#include "adam/adam.hpp"

#include "adam/adam_bodies.hpp"
#include "common/checks.hpp"
#include "common/has_cuda.hpp"

namespace dsasrgs {

namespace {

void check(const Context& ctx, const AdamStep& step, const AdamState& state) {
  constexpr const char* kOp = "adam_update";
  const std::size_t n = state.parameter.size();
  require_size(kOp, "gradient", n, state.gradient.size());
  require_size(kOp, "first_moment", n, state.first_moment.size());
  require_size(kOp, "second_moment", n, state.second_moment.size());
  require(!state.gradient.is_fixed_point() || ctx.backend() == Backend::cuda, kOp,
          "gradient: expected floats on the CPU, found fixed point");
  require_count(kOp, "step", step.step, 1);
  const auto is_decay = [](float beta) { return beta >= 0 && beta < 1; };
  require(is_decay(step.beta1) && is_decay(step.beta2), kOp, "beta1, beta2: expected 0 ≤ β < 1, found ", step.beta1,
          ", ", step.beta2);
  require_at_least(kOp, "epsilon", step.epsilon, 0);
}

}  // namespace

void adam_update(Context& ctx, std::span<const AdamArray> arrays) {
  for (const AdamArray& array : arrays) check(ctx, array.step, array.state);
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::adam_update(ctx, arrays);
  cpu::adam_update(ctx, arrays);
}

}  // namespace dsasrgs
