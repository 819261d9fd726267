// SPDX-License-Identifier: Apache-2.0
#include "resample/resample.hpp"

#include <string>

#include "common/checks.hpp"
#include "common/has_cuda.hpp"
#include "resample/resample_bodies.hpp"

namespace dsasrgs {
namespace {

void require_shape(const char* op, const ResampleShape& shape, std::size_t low_size, std::size_t high_size) {
  require_count(op, "scale", shape.scale, 1);
  const std::size_t pixels = require_image(op, "shape", shape.low_width_px, shape.low_height_px);
  const auto scale = static_cast<std::size_t>(shape.scale);
  require_size(op, "low", pixels, low_size);
  require_size(op, "high", size_product(pixels, scale * scale), high_size);
}

}  // namespace

void upsample_bicubic(Context& ctx, const ResampleShape& shape, View<const float> low, View<float> high) {
  constexpr const char* kOp = "upsample_bicubic";
  require_shape(kOp, shape, low.size(), high.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::upsample_bicubic(ctx, shape, low, high);
  cpu::upsample_bicubic(ctx, shape, low, high);
}

void pool_average(Context& ctx, const ResampleShape& shape, View<const float> high, View<float> low) {
  constexpr const char* kOp = "pool_average";
  require_shape(kOp, shape, low.size(), high.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::pool_average(ctx, shape, high, low);
  cpu::pool_average(ctx, shape, high, low);
}

void pool_average_adjoint(Context& ctx, const ResampleShape& shape, View<const float> low, GradientMode mode,
                          View<float> high) {
  constexpr const char* kOp = "pool_average_adjoint";
  require_shape(kOp, shape, low.size(), high.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::pool_average_adjoint(ctx, shape, low, mode, high);
  cpu::pool_average_adjoint(ctx, shape, low, mode, high);
}

}  // namespace dsasrgs
