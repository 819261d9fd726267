// SPDX-License-Identifier: Apache-2.0
#include "rasterize/rasterize.hpp"

#include "common/checks.hpp"
#include "common/has_cuda.hpp"
#include "rasterize/rasterize_bodies.hpp"

namespace dsasrgs {

namespace {

/// Number of pixels.
std::size_t check_input(const char* op, const RasterizeInput& in) {
  const std::size_t n = in.amplitude.size();
  require_size(op, "mean_px", 2 * n, in.mean_px.size());
  require_size(op, "conic", 3 * n, in.conic.size());
  require_size(op, "box", n, in.box.size());
  return require_image(op, "image", in.width_px, in.height_px);
}

}  // namespace

void rasterize_forward(Context& ctx, const RasterizeInput& in, RasterizeScratch& scratch, View<float> image) {
  constexpr const char* kOp = "rasterize_forward";
  const std::size_t num_pixels = check_input(kOp, in);
  require_size(kOp, "image", num_pixels, image.size());
  if (in.amplitude.empty()) {
    zero_bytes(ctx, image.data(), num_pixels * sizeof(float));
    return;
  }
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::rasterize_forward(ctx, in, scratch, image);
  cpu::rasterize_forward(ctx, in, scratch, image);
}

void rasterize_prepare(Context& ctx, int width_px, int height_px, View<const PixelBox> box, RasterizeScratch& scratch) {
  require_image("rasterize_prepare", "image", width_px, height_px);
  if (box.empty()) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::rasterize_prepare(ctx, width_px, height_px, box, scratch);
  (void)scratch;
}

void rasterize_backward(Context& ctx, const RasterizeInput& in, View<const float> grad_image, GradientMode mode,
                        const RasterizeGradient& gradient) {
  constexpr const char* kOp = "rasterize_backward";
  const std::size_t num_pixels = check_input(kOp, in);
  const std::size_t n = in.amplitude.size();
  require_size(kOp, "grad_image", num_pixels, grad_image.size());
  require_size(kOp, "gradient mean_px", 2 * n, gradient.mean_px.size());
  require_size(kOp, "gradient conic", 3 * n, gradient.conic.size());
  require_size(kOp, "gradient amplitude", n, gradient.amplitude.size());
  if (n == 0) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::rasterize_backward(ctx, in, grad_image, mode, gradient);
  cpu::rasterize_backward(ctx, in, grad_image, mode, gradient);
}

}  // namespace dsasrgs
