// SPDX-License-Identifier: Apache-2.0
// The loop over pixels is plain, compiled once per instruction set and vectorised by the compiler.

#include <algorithm>
#include <numeric>

#include "common/host_vector.hpp"
#include "common/parallel.hpp"
#include "label_loss/label_loss_bodies.hpp"
#include "label_loss/label_loss_math.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "label_loss/label_loss_cpu.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/highway.h>

#ifndef DSASRGS_LABEL_LOSS_PIXELS
#define DSASRGS_LABEL_LOSS_PIXELS
namespace dsasrgs::cpu {

/// Neighbouring pixels of one image.
struct LabelLossPixels {
  const float *sharp, *log_error, *target;  ///< ŷ, s (null: none), y
  float *grad_sharp, *grad_log_error;
  std::size_t count;
  LabelLossWeights weights;
};

}  // namespace dsasrgs::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace dsasrgs::cpu::HWY_NAMESPACE {

constexpr std::size_t kChunk = 512, kLanes = 8;

/// Adds terms [kChunk] to kLanes sums in double, the same ones whatever the vectors.
HWY_ATTR inline void add_to_lanes(const float* terms, double* lanes) {
  for (std::size_t k = 0; k < kChunk; k += kLanes) {
#pragma omp simd
    for (std::size_t j = 0; j < kLanes; ++j) lanes[j] += static_cast<double>(terms[k + j]);
  }
}

/// Gradients of these pixels, and their sums, not yet divided.
HWY_ATTR LabelLossSums label_loss_pixels(const LabelLossPixels& all) {
  const LabelLossPixels a = all;
  float e[kChunk], term[kChunk];
  double l1[kLanes] = {}, error[kLanes] = {};
  for (std::size_t first = 0; first < a.count; first += kChunk) {
    const std::size_t count = std::min(kChunk, a.count - first);
#pragma omp simd
    for (std::size_t k = 0; k < count; ++k) {
      const float d = a.sharp[first + k] - a.target[first + k];
      a.grad_sharp[first + k] = a.weights.l1 * l1_derivative(d);
      e[k] = std::abs(d);
    }
    std::fill(e + count, e + kChunk, 0.0f);
    add_to_lanes(e, l1);
    if (a.log_error == nullptr) continue;
#pragma omp simd
    for (std::size_t k = 0; k < count; ++k) {
      const LogErrorTerm<float> t = log_error_term(e[k], a.log_error[first + k]);
      a.grad_log_error[first + k] = a.weights.error * t.derivative;
      term[k] = t.value;
    }
    std::fill(term + count, term + kChunk, 0.0f);
    add_to_lanes(term, error);
  }
  return {std::accumulate(l1, l1 + kLanes, 0.0), std::accumulate(error, error + kLanes, 0.0)};
}

}  // namespace dsasrgs::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dsasrgs::cpu {

HWY_EXPORT(label_loss_pixels);

LabelLossSums label_loss(const Context& ctx, const LabelLossShape& shape, View<const float> prediction,
                         View<const float> target, View<float> gradient) {
  constexpr std::size_t kBlock = 16384;  // of one image
  const std::size_t pixels = shape.pixels, n = target.size(), blocks = (pixels + kBlock - 1) / kBlock;
  const LabelLossWeights weights = label_loss_weights(shape, n);
  HostVector<LabelLossSums> partial(static_cast<std::size_t>(shape.images) * blocks);
  parallel_for(ctx, partial.size(), [&](std::size_t part) {
    const std::size_t image = part / blocks, begin = part % blocks * kBlock;
    const std::size_t sharp = (shape.with_error ? 2 : 1) * image * pixels + begin, log_error = sharp + pixels;
    LabelLossPixels p{};
    p.sharp = prediction.data() + sharp;
    p.target = target.data() + image * pixels + begin;
    p.grad_sharp = gradient.data() + sharp;
    if (shape.with_error) {
      p.log_error = prediction.data() + log_error;
      p.grad_log_error = gradient.data() + log_error;
    }
    p.count = std::min(kBlock, pixels - begin);
    p.weights = weights;
    partial[part] = HWY_DYNAMIC_DISPATCH(label_loss_pixels)(p);
  });
  LabelLossSums total;
  for (const LabelLossSums& s : partial) {
    total.l1 += s.l1;
    total.error += s.error;
  }
  return {total.l1 / static_cast<double>(n), total.error / static_cast<double>(n)};
}

}  // namespace dsasrgs::cpu
#endif  // HWY_ONCE
