// SPDX-License-Identifier: Apache-2.0
// Implicit GEMM: a block brings a tile of pixels with its margin and the weights of a few channels into shared memory,
// and the matrix of shifted images is only ever read from there. fp32 here, bfloat16 in convolve_matrix.cuh.

#include <algorithm>

#include "common/add_partial.cuh"
#include "common/store.cuh"
#include "convolve/convolve_bodies.hpp"
#include "convolve/convolve_matrix.cuh"
#include "convolve/convolve_tile.cuh"

namespace dsasrgs::cuda {

namespace {

constexpr int kResults = 16;            ///< channels that come out of a block
constexpr int kDepth = 8;               ///< channels staged at a time
constexpr int kThreadResults = 4;       ///< of a thread: a warp has four channels of the whole tile,
constexpr int kThreadRows = kTile / 2;  ///< and half a warp half of its rows
static_assert(kThreadResults * kConvolveWarps == kResults);

/// A thread has 4 results × 8 pixels below each other: of ten pixels and three taps in a column 96 products, for 13
/// loads. Half a warp reads a row; the other half's rows begin 8 · kHalo floats later, on the other 16 banks.
__global__ void __launch_bounds__(kConvolveThreads) convolve_kernel(ConvolvePass pass) {
  __shared__ float pixels[kDepth][kHalo][kHalo];
  alignas(16) __shared__ float weights[kDepth * kConvolveTaps][kResults];
  const ConvolveChannels channels = convolve_channels(pass.shape, pass.direction);
  const unsigned groups = static_cast<unsigned>(groups_of(channels.results, kResults));
  const ConvolveTile tile = tile_at(pass.shape, blockIdx.x / groups);
  const int first_result = static_cast<int>(blockIdx.x % groups) * kResults;
  const int lane = static_cast<int>(lane_index()), column = lane % kTile, row = lane / kTile * kThreadRows;
  const int mine = static_cast<int>(threadIdx.x) / 32 * kThreadResults;

  float sum[kThreadResults][kThreadRows];
#pragma unroll
  for (int o = 0; o < kThreadResults; ++o) {
    const float bias = pass.first_sum(first_result + mine + o);
#pragma unroll
    for (int r = 0; r < kThreadRows; ++r) sum[o][r] = bias;
  }
  for (int depth = 0; depth < channels.summed; depth += kDepth) {
    const int count = min(kDepth, channels.summed - depth);
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < count * kHalo * kHalo; i += kConvolveThreads)
      (&pixels[0][0][0])[i] =
          staged_value<kHalo>(pass.shape, pass.source, tile, depth + i / (kHalo * kHalo), i % (kHalo * kHalo));
    for (int i = static_cast<int>(threadIdx.x); i < kDepth * kConvolveTaps * kResults; i += kConvolveThreads) {
      const int at = i % (kDepth * kConvolveTaps), result = i / (kDepth * kConvolveTaps);
      weights[at][result] = pass.weight(first_result + result, depth + at / kConvolveTaps, at % kConvolveTaps);
    }
    __syncthreads();
    for (int c = 0; c < count; ++c)
#pragma unroll
      for (int l = 0; l < 3; ++l) {
        float above[kThreadRows + 2];
#pragma unroll
        for (int r = 0; r < kThreadRows + 2; ++r) above[r] = pixels[c][row + r][column + l];
#pragma unroll
        for (int k = 0; k < 3; ++k) {
          const float4 four = load4(&weights[c * kConvolveTaps + k * 3 + l][mine]);
          const float w[kThreadResults] = {four.x, four.y, four.z, four.w};
#pragma unroll
          for (int o = 0; o < kThreadResults; ++o)
#pragma unroll
            for (int r = 0; r < kThreadRows; ++r) sum[o][r] += w[o] * above[r + k];
        }
      }
  }
  const std::size_t plane = convolve_pixels(pass.shape);
#pragma unroll
  for (int r = 0; r < kThreadRows; ++r) {
    float* const to = pass.place(tile, row + r, column);
    if (to == nullptr) continue;
#pragma unroll
    for (int o = 0; o < kThreadResults; ++o) {
      const int result = first_result + mine + o;
      if (result < channels.results)
        store(to[static_cast<std::size_t>(result) * plane], pass.activated(sum[o][r]), pass.mode);
    }
  }
}

/// A block has 16 outputs × 8 inputs, a thread 4 × 1 of them with all taps; a warp sums over four rows of each tile. A
/// pixel is 36 products for 7 loads, since two thirds of the taps were the last pixel's. Planes are padded so that
/// eight inputs, and four outputs, lie on different banks.
__global__ void __launch_bounds__(kConvolveThreads) parameter_kernel(ParameterPass pass) {
  constexpr int kOuts = 16, kIns = 8, kThreadOuts = 4, kRows = kTile / kConvolveWarps;
  constexpr int kImagePlane = kHalo * kHalo, kGradientPlane = kTile * kTile + 4;
  static_assert(kImagePlane % 32 == 4 && kGradientPlane % 32 == 4);
  constexpr int kStaged = kIns * kImagePlane + kOuts * kGradientPlane;
  constexpr int kWarpSums = kOuts * kIns * kConvolveTaps;
  static_assert(kWarpSums * kConvolveWarps <= kStaged);
  __shared__ float memory[kStaged];
  float *const pixels = memory, *const gradient = memory + kIns * kImagePlane;
  const ParameterBlock block(pass, kOuts, kIns);
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(lane_index());
  const int in = lane % kIns, out = lane / kIns;  // its outputs are out, out + 4, …

  float sum[kThreadOuts][kConvolveTaps] = {};
  float bias = 0;
  for (std::size_t t = block.first_tile; t < block.end_tile; ++t) {
    const ConvolveTile tile = tile_at(pass.shape, t);
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < kIns * kImagePlane; i += kConvolveThreads)
      pixels[i] = staged_value<kHalo>(pass.shape, pass.image, tile, block.first_in + i / kImagePlane, i % kImagePlane);
    for (int i = static_cast<int>(threadIdx.x); i < kOuts * kTile * kTile; i += kConvolveThreads) {
      const int channel = i / (kTile * kTile), place = i % (kTile * kTile);
      gradient[channel * kGradientPlane + place] =
          staged_value<kTile>(pass.shape, pass.gradient, tile, block.first_out + channel, place);
    }
    __syncthreads();
    for (int p = static_cast<int>(threadIdx.x) % 8; p < kTile * kTile; p += 8)
      bias += gradient[static_cast<int>(threadIdx.x) / 8 * kGradientPlane + p];
#pragma unroll 1
    for (int r = 0; r < kRows; ++r) {
      const int row = warp * kRows + r;
      const float *const at = pixels + in * kImagePlane + row * kHalo, *const grad = gradient + out * kGradientPlane +
                                                                                     row * kTile;
      float tap[3][3];
#pragma unroll
      for (int k = 0; k < 3; ++k) {
        tap[k][1] = at[k * kHalo];
        tap[k][2] = at[k * kHalo + 1];
      }
#pragma unroll
      for (int x = 0; x < kTile; ++x) {
#pragma unroll
        for (int k = 0; k < 3; ++k) {
          tap[k][0] = tap[k][1];
          tap[k][1] = tap[k][2];
          tap[k][2] = at[k * kHalo + x + 2];
        }
#pragma unroll
        for (int o = 0; o < kThreadOuts; ++o) {
          const float g = grad[o * 4 * kGradientPlane + x];
#pragma unroll
          for (int k = 0; k < 9; ++k) sum[o][k] += g * tap[k / 3][k % 3];
        }
      }
    }
  }
  block.put_bias(pass, bias);
  __syncthreads();
#pragma unroll
  for (int o = 0; o < kThreadOuts; ++o)
#pragma unroll
    for (int k = 0; k < kConvolveTaps; ++k)
      memory[warp * kWarpSums + ((out + 4 * o) * kIns + in) * kConvolveTaps + k] = sum[o][k];
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < kWarpSums; i += kConvolveThreads) {
    float total = memory[i];
    for (int w = 1; w < kConvolveWarps; ++w) total += memory[w * kWarpSums + i];
    block.put_weight(pass, i / (kIns * kConvolveTaps), i / kConvolveTaps % kIns, i % kConvolveTaps, total);
  }
}

__global__ void pixel_shuffle_kernel(PixelShuffleShape shape, std::size_t n, const float* low, float* high) {
  const std::size_t i = thread_index();
  if (i < n) high[i] = low[pixel_shuffle_source(shape, i)];
}
__global__ void pixel_shuffle_adjoint_kernel(PixelShuffleShape shape, std::size_t n, GradientMode mode,
                                             const float* high, float* low) {
  const std::size_t i = thread_index();
  if (i < n) store(low[pixel_shuffle_source(shape, i)], high[i], mode);
}

bool uses_matrices(const ConvolveShape& s) { return s.precision == ConvolvePrecision::bf16; }

/// Numbers are rounded on their way to shared memory.
ConvolveSource unrounded(ConvolveSource source) {
  source.rounded = false;
  return source;
}

void run(Context& ctx, const char* name, const ConvolvePass& pass) {
  const int results = convolve_channels(pass.shape, pass.direction).results;
  const bool matrices = uses_matrices(pass.shape);
  const std::size_t blocks =
      num_tiles(pass.shape) * static_cast<std::size_t>(groups_of(results, matrices ? 2 * kMatrix : kResults));
  launch(ctx, name, one_block_each(blocks, kConvolveThreads), matrices ? convolve_matrix_kernel : convolve_kernel,
         pass);
}

}  // namespace

void convolve_forward(Context& ctx, const ConvolveInput& in, View<float> output) {
  run(ctx, "convolve_forward",
      {in.shape, ConvolveDirection::forward, unrounded(convolve_image(in)), in.weights.data(), in.bias.data(),
       output.data(), GradientMode::overwrite});
}

void convolve_backward(Context& ctx, const ConvolveInput& in, View<const float> output, View<const float> grad_output,
                       const ConvolveGradient& gradient, ConvolveScratch& scratch) {
  const ConvolveShape& shape = in.shape;
  const ConvolveSource source = unrounded(convolve_gradient(shape, output, grad_output));
  if (!gradient.image.empty())
    run(ctx, "convolve_to_image",
        {shape, ConvolveDirection::to_image, source, in.weights.data(), nullptr, gradient.image.data(),
         gradient.image_mode});
  if (gradient.weights.empty()) return;

  // Parts depend on sizes only, so that sums are the same on every device.
  constexpr std::size_t kMaxParts = 64;
  const bool matrices = uses_matrices(shape);
  ParameterPass pass{shape, unrounded(convolve_image(in)), source, num_tiles(shape), 0, nullptr};
  pass.parts = std::min(pass.tiles, kMaxParts);
  if (scratch.partial.size() < pass.parts * pass.set()) scratch.partial.resize(ctx, pass.parts * pass.set());
  pass.partial = scratch.partial.data();
  const std::size_t groups = static_cast<std::size_t>(groups_of(shape.outputs, kMatrix)) *
                             static_cast<std::size_t>(groups_of(shape.inputs, matrices ? kMatrix : kDepth));
  launch(ctx, "convolve_parameters", one_block_each(pass.parts * groups, kConvolveThreads),
         matrices ? parameter_matrix_kernel : parameter_kernel, pass);
  add_partial(ctx, "convolve_add_weights", pass.partial, pass.num_weights(), pass.set(), pass.parts,
              gradient.weights.data());
  add_partial(ctx, "convolve_add_bias", pass.partial + pass.num_weights(), static_cast<std::size_t>(shape.outputs),
              pass.set(), pass.parts, gradient.bias.data());
}

void pixel_shuffle(Context& ctx, const PixelShuffleShape& shape, View<const float> low, View<float> high) {
  launch(ctx, "pixel_shuffle", one_thread_each(high.size()), pixel_shuffle_kernel, shape, high.size(), low.data(),
         high.data());
}

void pixel_shuffle_adjoint(Context& ctx, const PixelShuffleShape& shape, View<const float> high, GradientMode mode,
                           View<float> low) {
  launch(ctx, "pixel_shuffle_adjoint", one_thread_each(high.size()), pixel_shuffle_adjoint_kernel, shape, high.size(),
         mode, high.data(), low.data());
}

}  // namespace dsasrgs::cuda
