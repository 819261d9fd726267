// SPDX-License-Identifier: Apache-2.0
#include "label_loss/label_loss.hpp"

#include "common/checks.hpp"
#include "common/has_cuda.hpp"
#include "label_loss/label_loss_bodies.hpp"

namespace dsasrgs {

LabelLossSums label_loss(Context& ctx, const LabelLossShape& shape, View<const float> prediction,
                         View<const float> target, View<float> gradient) {
  constexpr const char* kOp = "label_loss";
  require_count(kOp, "images", shape.images, 1);
  require(shape.pixels > 0, kOp, "pixels: expected 1 or more, found 0");
  const std::size_t n = size_product(static_cast<std::size_t>(shape.images), shape.pixels);
  const std::size_t numbers = size_product(shape.with_error ? 2 : 1, n);
  require_size(kOp, "prediction", numbers, prediction.size());
  require_size(kOp, "target", n, target.size());
  require_size(kOp, "gradient", numbers, gradient.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::label_loss(ctx, shape, prediction, target, gradient);
  return cpu::label_loss(ctx, shape, prediction, target, gradient);
}

}  // namespace dsasrgs
