#include "resample/resample.hpp"

#include <string>

#include "common/has_cuda.hpp"
#include "common/require.hpp"
#include "resample/resample_bodies.hpp"

namespace dsasrgs {
namespace {

void require_shape(const char* op, const ResampleShape& shape, std::size_t low_size, std::size_t high_size) {
  require(shape.scale >= 1, op, "scale: expected 1 or more, found " + std::to_string(shape.scale));
  require(shape.low_width_px > 0 && shape.low_height_px > 0, op,
          "shape: expected at least 1 x 1 source pixels, found " + std::to_string(shape.low_width_px) + " x " +
              std::to_string(shape.low_height_px));
  const auto pixels = static_cast<std::size_t>(shape.low_width_px) * static_cast<std::size_t>(shape.low_height_px);
  const auto scale = static_cast<std::size_t>(shape.scale);
  require_size(op, "low", pixels, low_size);
  require_size(op, "high", pixels * scale * scale, high_size);
}

}  // namespace

void upsample_bicubic(Context& ctx, const ResampleShape& shape, View<const float> low, View<float> high) {
  constexpr const char* op = "upsample_bicubic";
  require_shape(op, shape, low.size(), high.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::upsample_bicubic(ctx, shape, low, high);
  cpu::upsample_bicubic(ctx, shape, low, high);
}

void pool_average(Context& ctx, const ResampleShape& shape, View<const float> high, View<float> low) {
  constexpr const char* op = "pool_average";
  require_shape(op, shape, low.size(), high.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::pool_average(ctx, shape, high, low);
  cpu::pool_average(ctx, shape, high, low);
}

void pool_average_adjoint(Context& ctx, const ResampleShape& shape, View<const float> low, GradientMode mode,
                          View<float> high) {
  constexpr const char* op = "pool_average_adjoint";
  require_shape(op, shape, low.size(), high.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::pool_average_adjoint(ctx, shape, low, mode, high);
  cpu::pool_average_adjoint(ctx, shape, low, mode, high);
}

}  // namespace dsasrgs
