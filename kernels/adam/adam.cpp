#include "adam/adam.hpp"

#include <string>

#include "adam/adam_bodies.hpp"
#include "common/has_cuda.hpp"
#include "common/require.hpp"

namespace dsasrgs {

void adam_update(Context& ctx, const AdamStep& step, const AdamState& state) {
  constexpr const char* kOp = "adam_update";
  const std::size_t n = state.parameter.size();
  require_size(kOp, "gradient", n, state.gradient.size());
  require_size(kOp, "first_moment", n, state.first_moment.size());
  require_size(kOp, "second_moment", n, state.second_moment.size());
  require(step.step >= 1, kOp, "step: expected 1 or more, found " + std::to_string(step.step));
  const auto is_decay = [](float beta) { return beta >= 0 && beta < 1; };
  require(is_decay(step.beta1) && is_decay(step.beta2), kOp,
          "beta1, beta2: expected 0 ≤ β < 1, found " + std::to_string(step.beta1) + ", " + std::to_string(step.beta2));
  require(step.epsilon >= 0, kOp, "epsilon: expected 0 or more, found " + std::to_string(step.epsilon));
  if (n == 0) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::adam_update(ctx, step, state);
  cpu::adam_update(ctx, step, state);
}

}  // namespace dsasrgs
