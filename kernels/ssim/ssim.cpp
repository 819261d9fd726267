// SPDX-License-Identifier: Apache-2.0
#include "ssim/ssim.hpp"

#include <cmath>
#include <string>

#include "common/checks.hpp"
#include "common/has_cuda.hpp"
#include "ssim/ssim_bodies.hpp"
#include "ssim/ssim_math.hpp"

namespace dsasrgs {
namespace {

std::size_t num_pixels(const char* op, const ImageLossShape& shape) {
  const SsimConstants c = ssim_constants(shape);
  require(shape.unit > 0 && shape.ssim_range > 0 && c.c1 * c.c2 > 0 && std::isfinite(c.c1 * c.c2), op,
          "unit and ssim_range: expected positive numbers whose fourth powers are, found ", shape.unit, " and ",
          shape.ssim_range);
  return require_image(op, "shape", shape.width_px, shape.height_px);
}

/// Valid pixels of an input, or all.
double checked_num_valid(const char* op, const ImageLossInput& input, std::size_t pixels) {
  require_size(op, "rendered", pixels, input.rendered.size());
  require_size(op, "target", pixels, input.target.size());
  if (input.valid.empty()) return static_cast<double>(pixels);
  require_size(op, "valid", pixels, input.valid.size());
  require(input.num_valid >= 1 && input.num_valid <= pixels, op, "num_valid: expected 1 to ", pixels,
          " valid pixels, found ", input.num_valid);
  return static_cast<double>(input.num_valid);
}

}  // namespace

void image_loss_forward(Context& ctx, const ImageLossShape& shape, const ImageLossInput& input, ImageLossSaved& saved) {
  constexpr const char* kOp = "image_loss_forward";
  const std::size_t pixels = num_pixels(kOp, shape);
  const double num_valid = checked_num_valid(kOp, input, pixels);
  saved.derivative.resize(ctx, 3 * pixels);
  saved.value.resize(ctx, 1);
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::image_loss_forward(ctx, shape, input, num_valid, saved);
  cpu::image_loss_forward(ctx, shape, input, num_valid, saved);
}

ImageLossValue image_loss_value(Context& ctx, const ImageLossSaved& saved) {
  require(saved.value.size() == 1, "image_loss_value", "saved: expected the result of a forward pass, found none");
  return saved.value.to_host(ctx)[0];
}

void image_loss_backward(Context& ctx, const ImageLossShape& shape, const ImageLossInput& input,
                         const ImageLossSaved& saved, float grad_loss, GradientMode mode, View<float> grad_rendered) {
  constexpr const char* kOp = "image_loss_backward";
  const std::size_t pixels = num_pixels(kOp, shape);
  const double num_valid = checked_num_valid(kOp, input, pixels);
  require_size(kOp, "saved.derivative", 3 * pixels, saved.derivative.size());
  require_size(kOp, "grad_rendered", pixels, grad_rendered.size());
  const ImageLossWeights weights = image_loss_weights(shape, num_valid, grad_loss);
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda)
      return cuda::image_loss_backward(ctx, shape, input, saved.derivative, weights, mode, grad_rendered);
  cpu::image_loss_backward(ctx, shape, input, saved.derivative, weights, mode, grad_rendered);
}

void ssim_map(Context& ctx, const ImageLossShape& shape, View<const float> a, View<const float> b, View<float> map) {
  constexpr const char* kOp = "ssim_map";
  const std::size_t pixels = num_pixels(kOp, shape);
  require_size(kOp, "a", pixels, a.size());
  require_size(kOp, "b", pixels, b.size());
  require_size(kOp, "map", pixels, map.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::ssim_map(ctx, shape, a, b, map);
  cpu::ssim_map(ctx, shape, a, b, map);
}

}  // namespace dsasrgs
