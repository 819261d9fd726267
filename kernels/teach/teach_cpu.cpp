// SPDX-License-Identifier: Apache-2.0
// The per-pixel loops of a training step are plain, compiled once per instruction set and vectorised by the compiler.

#include <algorithm>
#include <bit>
#include <numeric>

#include "common/host_vector.hpp"
#include "common/parallel.hpp"
#include "teach/teach_bodies.hpp"
#include "teach/teach_math.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "teach/teach_cpu.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/highway.h>

#ifndef DSASRGS_TEACH_PIXELS
#define DSASRGS_TEACH_PIXELS
namespace dsasrgs::cpu {

/// Pixels of a view, and what the passes leave.
struct TeachPixels {
  const float *super_resolved, *upsampled, *similarity, *richness;
  ConfidenceCentre centre;
  ConfidenceWeights<float> weights;
  float* teach;             ///< forward
  const float* grad_teach;  ///< backward
};

}  // namespace dsasrgs::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace dsasrgs::cpu::HWY_NAMESPACE {

/// Pixels [begin, end) of the forward pass.
HWY_ATTR void teach_pixels(const TeachPixels& all, std::size_t begin, std::size_t end) {
  const TeachPixels a = all;
#pragma omp simd
  for (std::size_t i = begin; i < end; ++i) {
    const float c = confidence_of(a.weights, a.similarity[i] - a.centre.similarity, a.richness[i] - a.centre.richness);
    a.teach[i] = teach_of(c, a.super_resolved[i], a.upsampled[i]);
  }
}

/// Sum of the backward pass over pixels [begin, end): kLanes sums in double whatever the vectors, then these in order.
HWY_ATTR ConfidenceWeights<double> teach_gradient(const TeachPixels& all, std::size_t begin, std::size_t end) {
  constexpr std::size_t kChunk = 512, kLanes = 8;
  const TeachPixels a = all;
  float similarity[kChunk], richness[kChunk];
  double lanes[2][kLanes] = {};
  for (std::size_t first = begin; first < end; first += kChunk) {
    const std::size_t count = std::min(kChunk, end - first);
#pragma omp simd
    for (std::size_t k = 0; k < count; ++k) {
      const std::size_t i = first + k;
      const ConfidenceWeights<float> g =
          teach_vjp(a.weights, a.similarity[i] - a.centre.similarity, a.richness[i] - a.centre.richness,
                    a.super_resolved[i], a.upsampled[i], a.grad_teach[i]);
      similarity[k] = g.similarity;
      richness[k] = g.richness;
    }
    std::fill(similarity + count, similarity + kChunk, 0.0f);
    std::fill(richness + count, richness + kChunk, 0.0f);
    for (std::size_t k = 0; k < kChunk; k += kLanes) {
#pragma omp simd
      for (std::size_t j = 0; j < kLanes; ++j) lanes[0][j] += static_cast<double>(similarity[k + j]);
#pragma omp simd
      for (std::size_t j = 0; j < kLanes; ++j) lanes[1][j] += static_cast<double>(richness[k + j]);
    }
  }
  return {std::accumulate(lanes[0], lanes[0] + kLanes, 0.0), std::accumulate(lanes[1], lanes[1] + kLanes, 0.0)};
}

}  // namespace dsasrgs::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dsasrgs::cpu {

HWY_EXPORT(teach_pixels);
HWY_EXPORT(teach_gradient);

namespace {

constexpr std::size_t kBlock = 16384;

/// out ← formula(image, row, column) for every pixel; formula reads at most 2 pixels away.
template <class Formula>
void filter(const Context& ctx, const TextureShape& shape, const float* image, float* out, Formula&& formula) {
  constexpr int kRadius = 2;
  const int width = shape.width_px, height = shape.height_px;
  const EdgeRepeated<float> whole{image, width, height};
  const Interior<float> interior{image, width};
  parallel_blocks(ctx, static_cast<std::size_t>(height), 8, [&](std::size_t begin, std::size_t end) {
    for (int r = static_cast<int>(begin); r < static_cast<int>(end); ++r) {
      float* row = out + static_cast<std::size_t>(r) * static_cast<std::size_t>(width);
      // Columns [first, last) are away from the border.
      const bool inside = r >= kRadius && r < height - kRadius && width > 2 * kRadius;
      const int first = inside ? kRadius : width, last = inside ? width - kRadius : width;
      for (int c = 0; c < first; ++c) row[c] = formula(whole, r, c);
      for (int c = first; c < last; ++c) row[c] = formula(interior, r, c);
      for (int c = last; c < width; ++c) row[c] = formula(whole, r, c);
    }
  });
}

TeachPixels pixels_of(const TeachInput& in, const ConfidenceCentre& centre, View<const float> weights) {
  TeachPixels a{};
  a.super_resolved = in.super_resolved.data();
  a.upsampled = in.upsampled.data();
  a.similarity = in.similarity.data();
  a.richness = in.richness.data();
  a.centre = centre;
  a.weights = {weights[0], weights[1]};
  return a;
}

}  // namespace

void texture_richness(const Context& ctx, const TextureShape& shape, View<const float> image, View<float> richness) {
  const std::size_t n = image.size();
  HostVector<float> magnitude(n);
  filter(ctx, shape, image.data(), magnitude.data(),
         [](const auto& in, int r, int c) { return sobel_magnitude(in, r, c); });
  filter(ctx, shape, magnitude.data(), richness.data(),
         [](const auto& in, int r, int c) { return binomial_smooth(in, r, c); });

  // Ordered by their bits: the order of numbers that are not negative, and an order of NaN too.
  HostVector<std::uint32_t> sorted(n);
  for (std::size_t i = 0; i < n; ++i) sorted[i] = std::bit_cast<std::uint32_t>(richness[i]);
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(percentile_99_index(n));
  std::nth_element(sorted.begin(), middle, sorted.end());
  const float percentile = std::bit_cast<float>(*middle);
  parallel_blocks(ctx, n, kBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) richness[i] = richness_of(richness[i], percentile);
  });
}

void teach_forward(const Context& ctx, const TeachInput& input, const ConfidenceCentre& centre,
                   View<const float> weights, View<float> teach) {
  if (!input.given_confidence.empty()) {
    const View<const float> c = input.given_confidence;
    parallel_blocks(ctx, teach.size(), kBlock, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) teach[i] = teach_of(c[i], input.super_resolved[i], input.upsampled[i]);
    });
    return;
  }
  TeachPixels pixels = pixels_of(input, centre, weights);
  pixels.teach = teach.data();
  parallel_blocks(ctx, teach.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    HWY_DYNAMIC_DISPATCH(teach_pixels)(pixels, begin, end);
  });
}

void teach_backward(const Context& ctx, const TeachInput& input, const ConfidenceCentre& centre,
                    View<const float> weights, View<const float> grad_teach, View<float> grad_weights) {
  TeachPixels pixels = pixels_of(input, centre, weights);
  pixels.grad_teach = grad_teach.data();
  const std::size_t n = grad_teach.size();
  HostVector<ConfidenceWeights<double>> partial((n + kBlock - 1) / kBlock);
  parallel_blocks(ctx, n, kBlock, [&](std::size_t begin, std::size_t end) {
    partial[begin / kBlock] = HWY_DYNAMIC_DISPATCH(teach_gradient)(pixels, begin, end);
  });
  ConfidenceWeights<double> total;
  for (const ConfidenceWeights<double>& p : partial) {
    total.similarity += p.similarity;
    total.richness += p.richness;
  }
  grad_weights[0] += static_cast<float>(total.similarity);
  grad_weights[1] += static_cast<float>(total.richness);
}

}  // namespace dsasrgs::cpu
#endif  // HWY_ONCE
