// SPDX-License-Identifier: Apache-2.0
#include "morton/morton.hpp"

#include <limits>

#include "common/checks.hpp"
#include "common/has_cuda.hpp"
#include "morton/morton_bodies.hpp"

namespace dsasrgs {

void morton_order(Context& ctx, View<const float> position, View<std::uint32_t> order) {
  constexpr const char* kOp = "morton_order";
  const std::size_t n = require_rows(kOp, "position", 3, position.size());
  require(n <= std::numeric_limits<std::int32_t>::max(), kOp, "position: expected at most 2147483647 points, found ",
          n);
  require_size(kOp, "order", n, order.size());
  if (n == 0) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::morton_order(ctx, position, order);
  cpu::morton_order(ctx, position, order);
}

}  // namespace dsasrgs
