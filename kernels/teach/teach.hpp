// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// The teaching reference: what a pseudo-label teaches where it is trusted (DSA-SRGS, eqs. 6 and 7).
///
/// The gradient of the loss L between the rendered image and I_teach with respect to I_teach needs no operator of its
/// own: L1 and SSIM are symmetric in their two images, the weights of the window and the mask too, so
///   image_loss_forward(ctx, shape, {I_teach, rendered, valid, num_valid}, saved)      (roles swapped)
///   image_loss_backward(ctx, shape, {I_teach, rendered, valid, num_valid}, saved, w, GradientMode::overwrite, grad)
/// leaves w · dL/dI_teach in grad (value and sign conventions are those of ssim.hpp), for teach_backward.

#include "common/gradient.hpp"

namespace dsasrgs {

struct TextureShape {
  int width_px = 0, height_px = 0;
};

/// richness [H,W] ← T = min(m / p, 1), overwritten, where
///   m = magnitude √(g_x² + g_y²) of the 3 × 3 Sobel gradient, [1 2 1]ᵀ ⊗ [−1 0 1] / 8 and its transpose, smoothed by
///       the 5 × 5 binomial window [1 4 6 4 1]ᵀ ⊗ [1 4 6 4 1] / 256; beyond the border the edge pixel is repeated,
///   p = 99th percentile of m by nearest rank: the ⌈0.99·H·W⌉-th smallest value.
/// Where p = 0 (hardly any structure) T is 1 where m > 0 and 0 elsewhere. The same bits from run to run and for any
/// thread count. The image must be finite. Once per view: allocates scratch memory. Throws InvalidArgument when sizes
/// disagree or the image is empty.
void texture_richness(Context&, const TextureShape&, View<const float> image, View<float> richness);

/// All images [sH,sW] of one view; only α and β change while training.
struct TeachInput {
  View<const float> super_resolved;  ///< I_SR, the pseudo-label
  View<const float> upsampled;       ///< I_LR↑, see upsample_bicubic
  View<const float> similarity;      ///< S = ssim_map(I_SR, I_LR↑)
  View<const float> richness;        ///< T = texture_richness(I_SR)
  /// A given C in [0,1]. Where not empty it replaces eq. 6; similarity and richness may then be empty.
  View<const float> given_confidence;
};

/// Centres of the confidence: S₀ = T₀ = 0 is eq. 6 as printed, with which C ≥ ½ for α, β, S ≥ 0.
struct ConfidenceCentre {
  float similarity = 0, richness = 0;
};

///   C = sigmoid(α·(S − S₀) + β·(T − T₀))        (eq. 6; centred form: method.md section 3)
///   I_teach = C ⊙ I_SR + (1 − C) ⊙ I_LR↑        (eq. 7)
/// weights [2] = α, β in the context's memory (not read with a given confidence, may then be empty). teach [sH,sW] is
/// overwritten. Throws InvalidArgument when sizes disagree.
void teach_forward(Context&, const TeachInput&, const ConfidenceCentre&, View<const float> weights, View<float> teach);

/// Scratch memory of teach_backward, reused from call to call.
struct TeachScratch {
  Buffer<float> partial;
};

///   dL/dα += Σ g·(I_SR − I_LR↑)·C(1−C)·(S − S₀),  dL/dβ += Σ g·(I_SR − I_LR↑)·C(1−C)·(T − T₀)
/// grad_teach [sH,sW] = g = dL/dI_teach; grad_weights [2] is added to. Nothing is added with a given confidence, which
/// depends on neither. Fixed order of sums: the same bits from run to run and for any thread count; nobody waits.
/// Throws InvalidArgument when sizes disagree.
void teach_backward(Context&, const TeachInput&, const ConfidenceCentre&, View<const float> weights,
                    View<const float> grad_teach, TeachScratch&, View<float> grad_weights);

}  // namespace dsasrgs
