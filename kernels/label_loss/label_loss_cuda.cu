// SPDX-License-Identifier: Apache-2.0
#include "common/block_sum.cuh"
#include "label_loss/label_loss_bodies.hpp"
#include "label_loss/label_loss_math.hpp"

namespace dsasrgs::cuda {

namespace {

struct LabelLossArguments {
  const float *prediction, *target;
  float* gradient;
  std::size_t pixels, n;  ///< of an image, of all
  bool with_error;
  LabelLossWeights weights;
};

/// Gradients, and this block's part of the sums; one block adds the parts.
__global__ void __launch_bounds__(kSumThreads) label_loss_kernel(LabelLossArguments a, LabelLossSums* partial) {
  double sum[2] = {0, 0};
  for (std::size_t i = thread_index(); i < a.n; i += std::size_t{gridDim.x} * kSumThreads) {
    // A second channel moves every later image on by one.
    const std::size_t sharp = a.with_error ? i + i / a.pixels * a.pixels : i;
    const float d = a.prediction[sharp] - a.target[i], e = std::abs(d);
    a.gradient[sharp] = a.weights.l1 * l1_derivative(d);
    sum[0] += static_cast<double>(e);
    if (!a.with_error) continue;
    const LogErrorTerm<float> t = log_error_term(e, a.prediction[sharp + a.pixels]);
    a.gradient[sharp + a.pixels] = a.weights.error * t.derivative;
    sum[1] += static_cast<double>(t.value);
  }
  sum_over_block(sum);
  if (threadIdx.x == 0) partial[blockIdx.x] = {sum[0], sum[1]};
}

__global__ void __launch_bounds__(kSumThreads)
    label_loss_sum_kernel(const LabelLossSums* partial, unsigned parts, std::size_t n, LabelLossSums* means) {
  static_assert(kSumBlocks == kSumThreads, "a thread per part");
  double sum[2] = {0, 0};
  if (threadIdx.x < parts) {
    sum[0] = partial[threadIdx.x].l1;
    sum[1] = partial[threadIdx.x].error;
  }
  sum_over_block(sum);
  if (threadIdx.x == 0) *means = {sum[0] / static_cast<double>(n), sum[1] / static_cast<double>(n)};
}

}  // namespace

LabelLossSums label_loss(Context& ctx, const LabelLossShape& shape, View<const float> prediction,
                         View<const float> target, View<float> gradient) {
  const std::size_t n = target.size();
  const Grid grid = sum_grid(n);
  Buffer<LabelLossSums> partial(ctx, kSumBlocks), means(ctx, 1);
  launch(ctx, "label_loss", grid, label_loss_kernel,
         LabelLossArguments{prediction.data(), target.data(), gradient.data(), shape.pixels, n, shape.with_error,
                            label_loss_weights(shape, n)},
         partial.data());
  launch(ctx, "label_loss (sum)", one_block_each(1, kSumThreads), label_loss_sum_kernel, partial.data(), grid.blocks.x,
         n, means.data());
  return means.to_host(ctx)[0];
}

}  // namespace dsasrgs::cuda
