// SPDX-License-Identifier: Apache-2.0
#include "teach/teach.hpp"

#include "common/checks.hpp"
#include "common/has_cuda.hpp"
#include "teach/teach_bodies.hpp"

namespace dsasrgs {
namespace {

void require_input(const char* op, const TeachInput& input, View<const float> weights, std::size_t pixels) {
  require_size(op, "super_resolved", pixels, input.super_resolved.size());
  require_size(op, "upsampled", pixels, input.upsampled.size());
  if (!input.given_confidence.empty())
    return require_size(op, "given_confidence", pixels, input.given_confidence.size());
  require_size(op, "similarity", pixels, input.similarity.size());
  require_size(op, "richness", pixels, input.richness.size());
  require_size(op, "weights", 2, weights.size());
}

}  // namespace

void texture_richness(Context& ctx, const TextureShape& shape, View<const float> image, View<float> richness) {
  constexpr const char* kOp = "texture_richness";
  const std::size_t pixels = require_image(kOp, "shape", shape.width_px, shape.height_px);
  require_size(kOp, "image", pixels, image.size());
  require_size(kOp, "richness", pixels, richness.size());
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::texture_richness(ctx, shape, image, richness);
  cpu::texture_richness(ctx, shape, image, richness);
}

void teach_forward(Context& ctx, const TeachInput& input, const ConfidenceCentre& centre, View<const float> weights,
                   View<float> teach) {
  constexpr const char* kOp = "teach_forward";
  require_input(kOp, input, weights, teach.size());
  if (teach.empty()) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::teach_forward(ctx, input, centre, weights, teach);
  cpu::teach_forward(ctx, input, centre, weights, teach);
}

void teach_backward(Context& ctx, const TeachInput& input, const ConfidenceCentre& centre, View<const float> weights,
                    View<const float> grad_teach, TeachScratch& scratch, View<float> grad_weights) {
  constexpr const char* kOp = "teach_backward";
  require_input(kOp, input, weights, grad_teach.size());
  require_size(kOp, "grad_weights", 2, grad_weights.size());
  if (grad_teach.empty() || !input.given_confidence.empty()) return;
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda)
      return cuda::teach_backward(ctx, input, centre, weights, grad_teach, scratch, grad_weights);
  cpu::teach_backward(ctx, input, centre, weights, grad_teach, grad_weights);
}

}  // namespace dsasrgs
