#include "ssim/ssim.hpp"

#include <string>

#include "common/require.hpp"
#include "ssim/ssim_cpu.hpp"

namespace dsasrgs {
namespace {

std::size_t num_pixels(const char* op, const ImageLossShape& shape) {
  require(shape.width_px > 0 && shape.height_px > 0, op,
          "shape: expected at least 1 x 1 pixels, found " + std::to_string(shape.width_px) + " x " +
              std::to_string(shape.height_px));
  require(shape.c1 > 0 && shape.c2 > 0, op,
          "c1, c2: expected positive numbers, found " + std::to_string(shape.c1) + ", " + std::to_string(shape.c2));
  return static_cast<std::size_t>(shape.width_px) * static_cast<std::size_t>(shape.height_px);
}

void require_input(const char* op, const ImageLossInput& input, std::size_t pixels) {
  require_size(op, "rendered", pixels, input.rendered.size());
  require_size(op, "target", pixels, input.target.size());
  if (!input.valid.empty()) require_size(op, "valid", pixels, input.valid.size());
}

}  // namespace

ImageLossValue image_loss_forward(Context& ctx, const ImageLossShape& shape, const ImageLossInput& input,
                                  ImageLossSaved& saved) {
  constexpr const char* op = "image_loss_forward";
  const std::size_t pixels = num_pixels(op, shape);
  require_input(op, input, pixels);
  if (ctx.backend() == Backend::cuda) throw_no_cuda(op);
  const double num_valid = cpu::count_valid(shape, input.valid);
  require(num_valid > 0, op, "valid: expected at least one valid pixel, found none");
  if (saved.derivative.size() != 3 * pixels) saved.derivative = Buffer<float>(ctx, 3 * pixels);
  saved.num_valid = num_valid;
  return cpu::image_loss_forward(ctx, shape, input, num_valid, saved.derivative);
}

void image_loss_backward(Context& ctx, const ImageLossShape& shape, const ImageLossInput& input,
                         const ImageLossSaved& saved, float grad_loss, GradientMode mode, View<float> grad_rendered) {
  constexpr const char* op = "image_loss_backward";
  const std::size_t pixels = num_pixels(op, shape);
  require_input(op, input, pixels);
  require_size(op, "saved.derivative", 3 * pixels, saved.derivative.size());
  require(saved.num_valid > 0, op, "saved.num_valid: expected the forward pass's count, found 0");
  require_size(op, "grad_rendered", pixels, grad_rendered.size());
  if (ctx.backend() == Backend::cuda) throw_no_cuda(op);
  cpu::image_loss_backward(ctx, shape, input, saved, grad_loss, mode, grad_rendered);
}

void ssim_map(Context& ctx, const ImageLossShape& shape, View<const float> a, View<const float> b, View<float> map) {
  constexpr const char* op = "ssim_map";
  const std::size_t pixels = num_pixels(op, shape);
  require_size(op, "a", pixels, a.size());
  require_size(op, "b", pixels, b.size());
  require_size(op, "map", pixels, map.size());
  if (ctx.backend() == Backend::cuda) throw_no_cuda(op);
  cpu::ssim_map(ctx, shape, a, b, map);
}

}  // namespace dsasrgs
