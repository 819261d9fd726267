// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "common/parallel.hpp"
#include "mlp/mlp_bodies.hpp"
#include "mlp/mlp_math.hpp"
#include "mlp/mlp_pack.hpp"

namespace dsasrgs::cpu {
#ifndef DSASRGS_MLP_BLOCK
#define DSASRGS_MLP_BLOCK
/// Points handled together: their activations and the weights stay in the second-level cache. A multiple of the vector.
inline constexpr std::size_t kMlpBlock = 96;

/// What a block of points needs beside its data. `rows` is only read by the backward pass.
struct MlpNetwork {
  MlpShape shape;
  float gain;
  const float* packed;
  const float* rows;
};

/// Scratch of one block, cut from one allocation. Hidden layers are point-major [block, stride].
struct BlockScratch {
  static std::size_t size(const MlpShape& s) {
    const std::size_t inputs = mlp_padded(static_cast<std::size_t>(s.inputs));
    const std::size_t width = mlp_padded(static_cast<std::size_t>(s.width));
    return kMlpBlock * (2 * inputs + (static_cast<std::size_t>(s.hidden_layers) + 2) * width + 2);
  }
  BlockScratch(const MlpShape& s, float* memory) : stride(mlp_padded(static_cast<std::size_t>(s.width))) {
    const std::size_t inputs = mlp_padded(static_cast<std::size_t>(s.inputs));
    input = memory;
    grad_input = input + kMlpBlock * inputs;
    logit = grad_input + kMlpBlock * inputs;
    grad_logit = logit + kMlpBlock;
    grad_hidden[0] = grad_logit + kMlpBlock;
    grad_hidden[1] = grad_hidden[0] + kMlpBlock * stride;
    first_hidden = grad_hidden[1] + kMlpBlock * stride;
  }
  float* hidden(int layer) const { return first_hidden + static_cast<std::size_t>(layer) * kMlpBlock * stride; }

  std::size_t stride;
  float *input, *grad_input;  ///< input feature-major [inputs, block], its gradient point-major
  float *logit, *grad_logit;  ///< before the output activation, [block]
  float *grad_hidden[2], *first_hidden;
};
#endif
}  // namespace dsasrgs::cpu

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "mlp/mlp_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "mlp/mlp_product-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace dsasrgs::cpu::HWY_NAMESPACE {

/// Layer inputs of a block as the factor A[point, feature] of a product.
Product layer_input(const BlockScratch& t, int layer) {
  Product s{};
  s.a = layer == 0 ? t.input : t.hidden(layer - 1);
  s.a_row = layer == 0 ? 1 : t.stride;
  s.a_depth = layer == 0 ? kMlpBlock : 1;
  return s;
}

/// Rounds what enters a product, if the network's precision says so.
void round_factors(const MlpNetwork& net, std::size_t count, float* values) {
  if (net.shape.precision == MlpPrecision::fp32) return;
  for (std::size_t i = 0; i < count; ++i) values[i] = round_to_bf16(values[i]);
}

/// Copies a block's inputs together (rows of the whole array lie pages apart) and computes hidden layers and logits.
void hidden_and_logits(const MlpNetwork& net, const float* input, std::size_t num_points, std::size_t count,
                       const BlockScratch& t) {
  const std::size_t inputs = static_cast<std::size_t>(net.shape.inputs);
  for (std::size_t f = 0; f < inputs; ++f) {
    std::copy_n(input + f * num_points, count, t.input + f * kMlpBlock);
    round_factors(net, count, t.input + f * kMlpBlock);
  }
  for (int l = 0; l < net.shape.hidden_layers; ++l) {
    const MlpPackedLayer layer = mlp_packed_layer(net.shape, l);
    Product s = layer_input(t, l);
    s.b = net.packed + layer.weights;
    s.c = t.hidden(l);
    s.b_stride = s.c_stride = s.columns = layer.stride;
    s.rows = count;
    s.depth = layer.inputs;
    multiply(s, {Start::bias, Finish::relu, net.packed + layer.biases, nullptr});
    round_factors(net, count * t.stride, s.c);
  }
  const Floats d;
  const MlpPackedLayer last = mlp_packed_layer(net.shape, net.shape.hidden_layers);
  const float* h = t.hidden(net.shape.hidden_layers - 1);
  for (std::size_t p = 0; p < count; ++p, h += t.stride) {
    Vector sum = hn::Zero(d);
    for (std::size_t k = 0; k < t.stride; k += hn::Lanes(d))
      sum = hn::MulAdd(hn::LoadU(d, h + k), hn::LoadU(d, net.packed + last.weights + k), sum);
    t.logit[p] = net.packed[last.biases] + hn::GetLane(hn::SumOfLanes(d, sum));
  }
}

void forward_block(const MlpNetwork& net, const float* input, std::size_t num_points, std::size_t count,
                   const BlockScratch& t, float* output) {
  hidden_and_logits(net, input, num_points, count, t);
  for (std::size_t p = 0; p < count; ++p) output[p] = net.gain * mlp_output(net.shape, t.logit[p]);
}

/// sum [stride] += Σ_points rows [count, stride].
void add_rows(const float* rows, std::size_t stride, std::size_t count, float* sum) {
  const Floats d;
  for (std::size_t k = 0; k < stride; k += hn::Lanes(d)) {
    Vector v = hn::LoadU(d, sum + k);
    for (std::size_t p = 0; p < count; ++p) v = hn::Add(v, hn::LoadU(d, rows + p * stride + k));
    hn::StoreU(v, d, sum + k);
  }
}

/// Point-major [block, stride] → feature-major rows of the whole array, set or added to.
void transpose_out(const float* points, std::size_t stride, std::size_t inputs, std::size_t num_points,
                   std::size_t count, GradientMode mode, float* out) {
  const Floats d;
  const hn::RebindToSigned<Floats> di;
  const std::size_t lanes = hn::Lanes(d);
  const auto index = hn::Mul(hn::Iota(di, 0), hn::Set(di, static_cast<int>(stride)));
  float last[kMlpPad];
  for (std::size_t f = 0; f < inputs; ++f) {
    float* row = out + f * num_points;
    for (std::size_t p = 0; p < count; p += lanes) {
      Vector v = hn::GatherIndex(d, points + p * stride + f, index);
      const bool whole = p + lanes <= count;
      float* to = row + p;
      if (!whole) {
        std::copy_n(to, count - p, last);
        to = last;
      }
      if (mode == GradientMode::accumulate) v = hn::Add(v, hn::LoadU(d, to));
      hn::StoreU(v, d, to);
      if (!whole) std::copy_n(last, count - p, row + p);
    }
  }
}

/// partial [mlp_packed_size] += parameter gradients of the block; grad_input may be null.
void backward_block(const MlpNetwork& net, const float* input, std::size_t num_points, std::size_t count,
                    const BlockScratch& t, const float* grad_output, float* partial, GradientMode mode,
                    float* grad_input) {
  const MlpShape& shape = net.shape;
  hidden_and_logits(net, input, num_points, count, t);
  const MlpPackedLayer last = mlp_packed_layer(shape, shape.hidden_layers);
  for (std::size_t p = 0; p < count; ++p) {
    t.grad_logit[p] = mlp_output_vjp(shape, t.logit[p], net.gain * grad_output[p]);
    partial[last.biases] += t.grad_logit[p];
  }
  const float* top = t.hidden(shape.hidden_layers - 1);
  multiply({t.grad_logit, 0, 1, top, t.stride, partial + last.weights, t.stride, 1, t.stride, count}, {Start::c});
  float* grad = t.grad_hidden[0];
  multiply({t.grad_logit, 1, 0, net.packed + last.weights, 0, grad, t.stride, count, t.stride, 1},
           {Start::zero, Finish::mask, nullptr, top});
  round_factors(net, count * t.stride, grad);

  for (int l = shape.hidden_layers - 1; l >= 0; --l) {
    const MlpPackedLayer layer = mlp_packed_layer(shape, l);
    add_rows(grad, t.stride, count, partial + layer.biases);
    Product weights = layer_input(t, l);  // transposed: gradᵀ[in, out] = Σ_points input[point, in]·grad[point, out]
    std::swap(weights.a_row, weights.a_depth);
    weights.b = grad;
    weights.c = partial + layer.weights;
    weights.b_stride = weights.c_stride = weights.columns = t.stride;
    weights.rows = layer.inputs;
    weights.depth = count;
    multiply(weights, {Start::c});
    if (l == 0 && grad_input == nullptr) break;

    const std::size_t below = mlp_padded(layer.inputs);
    float* grad_below = l == 0 ? t.grad_input : (grad == t.grad_hidden[0] ? t.grad_hidden[1] : t.grad_hidden[0]);
    const Product inputs{grad,  t.stride, 1,     net.rows + mlp_rows_offset(shape, l), below, grad_below,
                         below, count,    below, static_cast<std::size_t>(shape.width)};
    if (l > 0) {
      multiply(inputs, {Start::zero, Finish::mask, nullptr, t.hidden(l - 1)});
      round_factors(net, count * t.stride, grad_below);
    } else {
      multiply(inputs, {});
    }
    grad = grad_below;
  }
  if (grad_input != nullptr)
    transpose_out(t.grad_input, mlp_padded(static_cast<std::size_t>(shape.inputs)),
                  static_cast<std::size_t>(shape.inputs), num_points, count, mode, grad_input);
}

}  // namespace dsasrgs::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dsasrgs::cpu {

HWY_EXPORT(forward_block);
HWY_EXPORT(backward_block);

void mlp_forward(Context& ctx, const MlpInput& in, View<float> output) {
  constexpr std::size_t kBlocksPerTask = 8;
  const MlpShape& shape = in.shape;
  const std::size_t n = output.size();
  Buffer<float> packed(ctx, mlp_packed_size(shape));
  mlp_pack(shape, in.parameters, packed.data());
  const MlpNetwork net{shape, in.gain, packed.data(), nullptr};
  parallel_blocks(ctx, n, kBlocksPerTask * kMlpBlock, [&](std::size_t begin, std::size_t end) {
    Buffer<float> memory(ctx, BlockScratch::size(shape));
    const BlockScratch scratch(shape, memory.data());
    for (std::size_t p = begin; p < end; p += kMlpBlock) HWY_DYNAMIC_DISPATCH(forward_block)
    (net, in.features.data() + p, n, std::min(kMlpBlock, end - p), scratch, output.data() + p);
  });
}

void mlp_backward(Context& ctx, const MlpInput& in, View<const float> grad_output, const MlpGradient& gradient) {
  // Partial sums over a partition of the points that depends on their number only, added in order.
  constexpr std::size_t kMaxParts = 64;
  const MlpShape& shape = in.shape;
  const std::size_t n = grad_output.size(), num_blocks = (n + kMlpBlock - 1) / kMlpBlock;
  const std::size_t num_parts = std::min(num_blocks, kMaxParts), size = mlp_packed_size(shape);
  Buffer<float> packed(ctx, size), rows(ctx, mlp_rows_offset(shape, shape.hidden_layers));
  mlp_pack(shape, in.parameters, packed.data());
  mlp_pack_rows(shape, in.parameters, rows.data());
  const MlpNetwork net{shape, in.gain, packed.data(), rows.data()};
  Buffer<float> partial(ctx, num_parts * size);
  parallel_for(ctx, num_parts, [&](std::size_t part) {
    Buffer<float> memory(ctx, BlockScratch::size(shape));
    const BlockScratch scratch(shape, memory.data());
    float* sums = partial.data() + part * size;
    std::fill_n(sums, size, 0.0f);
    const std::size_t last_block = (part + 1) * num_blocks / num_parts;
    for (std::size_t b = part * num_blocks / num_parts; b < last_block; ++b) {
      const std::size_t p = b * kMlpBlock;
      HWY_DYNAMIC_DISPATCH(backward_block)
      (net, in.features.data() + p, n, std::min(kMlpBlock, n - p), scratch, grad_output.data() + p, sums,
       gradient.features_mode, gradient.features.empty() ? nullptr : gradient.features.data() + p);
    }
  });
  constexpr std::size_t kSumBlock = 1024;
  parallel_blocks(ctx, size, kSumBlock, [&](std::size_t begin, std::size_t end) {
    for (std::size_t part = 1; part < num_parts; ++part)
      for (std::size_t i = begin; i < end; ++i) partial.data()[i] += partial.data()[part * size + i];
  });
  mlp_unpack_add(shape, partial.data(), gradient.parameters);
}

}  // namespace dsasrgs::cpu
#endif
