// SPDX-License-Identifier: Apache-2.0
#include "common/block_sum.cuh"
#include "common/sort_scan.hpp"
#include "teach/teach_bodies.hpp"
#include "teach/teach_math.hpp"

namespace dsasrgs::cuda {

namespace {

constexpr unsigned kThreads = 256;

/// Richness is made once per view, so a thread per pixel in row order is enough.
__global__ void __launch_bounds__(kThreads) sobel_kernel(EdgeRepeated<float> image, std::size_t pixels, float* out) {
  const std::size_t i = thread_index(), width = static_cast<std::size_t>(image.width);
  if (i < pixels) out[i] = sobel_magnitude(image, static_cast<int>(i / width), static_cast<int>(i % width));
}

/// Numbers that are not negative are in the order of their bits, which is what the sort sees.
__global__ void __launch_bounds__(kThreads)
    smooth_kernel(EdgeRepeated<float> image, std::size_t pixels, float* out, std::uint32_t* bits) {
  const std::size_t i = thread_index(), width = static_cast<std::size_t>(image.width);
  if (i >= pixels) return;
  const float v = binomial_smooth(image, static_cast<int>(i / width), static_cast<int>(i % width));
  out[i] = v;
  bits[i] = __float_as_uint(v);
}

__global__ void __launch_bounds__(kThreads)
    richness_kernel(const std::uint32_t* percentile_bits, View<float> richness) {
  const std::size_t i = thread_index();
  if (i < richness.size()) richness.data()[i] = richness_of(richness.data()[i], __uint_as_float(*percentile_bits));
}

/// TeachInput with what its formulas need, in kernel arguments.
struct TeachArguments {
  const float *super_resolved, *upsampled, *similarity, *richness;
  const float* given_confidence;  ///< null: eq. 6
  const float* weights;
  ConfidenceCentre centre;
  std::size_t pixels;
};

TeachArguments teach_arguments(const TeachInput& in, const ConfidenceCentre& centre, View<const float> weights,
                               std::size_t pixels) {
  return {in.super_resolved.data(),
          in.upsampled.data(),
          in.similarity.data(),
          in.richness.data(),
          in.given_confidence.empty() ? nullptr : in.given_confidence.data(),
          weights.data(),
          centre,
          pixels};
}

__global__ void __launch_bounds__(kThreads) teach_forward_kernel(TeachArguments a, float* teach) {
  const std::size_t i = thread_index();
  if (i >= a.pixels) return;
  const float c = a.given_confidence != nullptr
                      ? a.given_confidence[i]
                      : confidence_of(ConfidenceWeights<float>{a.weights[0], a.weights[1]},
                                      a.similarity[i] - a.centre.similarity, a.richness[i] - a.centre.richness);
  teach[i] = teach_of(c, a.super_resolved[i], a.upsampled[i]);
}

__global__ void __launch_bounds__(kSumThreads)
    teach_backward_kernel(TeachArguments a, const float* grad_teach, float* partial) {
  const ConfidenceWeights<float> w{a.weights[0], a.weights[1]};
  float sum[2] = {0.0f, 0.0f};
  for (std::size_t i = thread_index(); i < a.pixels; i += std::size_t{gridDim.x} * kSumThreads) {
    const ConfidenceWeights<float> g =
        teach_vjp(w, a.similarity[i] - a.centre.similarity, a.richness[i] - a.centre.richness, a.super_resolved[i],
                  a.upsampled[i], grad_teach[i]);
    sum[0] += g.similarity;
    sum[1] += g.richness;
  }
  store_part(sum, partial);
}

}  // namespace

void texture_richness(Context& ctx, const TextureShape& shape, View<const float> image, View<float> richness) {
  const std::size_t n = image.size();
  const Grid grid = one_thread_each(n, kThreads);
  Buffer<float> magnitude(ctx, n);
  Buffer<std::uint32_t> bits(ctx, n), sorted(ctx, n), values(ctx, n);
  SortScanScratch scratch;
  launch(ctx, "texture_richness (Sobel)", grid, sobel_kernel,
         EdgeRepeated<float>{image.data(), shape.width_px, shape.height_px}, n, magnitude.data());
  launch(ctx, "texture_richness (smoothing)", grid, smooth_kernel,
         EdgeRepeated<float>{magnitude.data(), shape.width_px, shape.height_px}, n, richness.data(), bits.data());
  sort_pairs(ctx, 32, bits, sorted, bits, values, scratch);
  launch(ctx, "texture_richness", grid, richness_kernel, sorted.data() + percentile_99_index(n), richness);
}

void teach_forward(Context& ctx, const TeachInput& input, const ConfidenceCentre& centre, View<const float> weights,
                   View<float> teach) {
  launch(ctx, "teach_forward", one_thread_each(teach.size(), kThreads), teach_forward_kernel,
         teach_arguments(input, centre, weights, teach.size()), teach.data());
}

void teach_backward(Context& ctx, const TeachInput& input, const ConfidenceCentre& centre, View<const float> weights,
                    View<const float> grad_teach, TeachScratch& scratch, View<float> grad_weights) {
  const Grid grid = sum_grid(grad_teach.size());
  float* partial = sum_parts_memory<2>(ctx, scratch.partial);
  launch(ctx, "teach_backward", grid, teach_backward_kernel, teach_arguments(input, centre, weights, grad_teach.size()),
         grad_teach.data(), partial);
  sum_parts<2>(ctx, "teach_backward (sum)", grid, partial, 1.0f, true, grad_weights.data());
}

}  // namespace dsasrgs::cuda
