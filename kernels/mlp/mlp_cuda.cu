// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "common/add_partial.cuh"
#include "mlp/mlp_bodies.hpp"
#include "mlp/mlp_matrix_tile.cuh"
#include "mlp/mlp_split_tile.cuh"

namespace dsasrgs::cuda {

namespace {

/// Shared memory of a block in fp32: what every device of compute capability 7.5 has.
constexpr std::size_t kSharedLimitBytes = 64 * 1024;

/// Blocks that should fit a multiprocessor at once, by their registers; wide tiles have none to spare.
template <class T>
constexpr int blocks_per_sm(int narrow) {
  return T::kWidth == 64 ? narrow : 1;
}

/// The points of a tile.
template <class T>
__device__ Points tile_points(const Network& net, std::size_t tile) {
  const std::size_t begin = tile * T::kPoints, left = net.n - begin;
  return {net.input + begin, net.n, net.shape.inputs,
          static_cast<int>(left < std::size_t{T::kPoints} ? left : std::size_t{T::kPoints})};
}

/// Computes the hidden layers; layer l goes to hidden + l·stride. Stride 0: each takes the place of the one before.
template <class T>
__device__ void hidden_layers(const Network& net, const Points& points, unsigned char* shared,
                              typename T::Element* hidden, int stride) {
  const typename T::Element* below = nullptr;
  for (int l = 0; l < net.shape.hidden_layers; ++l) {
    const float* const biases = net.parameters + mlp_layer(net.shape, l).biases;
    typename T::Element* const to = hidden + l * stride;
    T::template product<Direction::forward>(net, l, 0, below, points, shared, [&](int o, int p, float4 c) {
      const float bias = o < net.shape.width ? biases[o] : 0.0f;
      store4(to + o * T::kRow + p, make_float4(relu(c.x + bias), relu(c.y + bias), relu(c.z + bias), relu(c.w + bias)));
    });
    below = to;
  }
}

template <class T>
__global__ void __launch_bounds__(T::kThreads, blocks_per_sm<T>(T::kForwardBlocks))
    forward_kernel(Network net, float* output) {
  unsigned char* const shared = dynamic_shared<unsigned char>();
  typename T::Element* const hidden = T::hidden(shared, net.shape);
  const std::size_t num_tiles = (net.n + T::kPoints - 1) / T::kPoints;
  T::prepare(net, shared);
  for (std::size_t tile = blockIdx.x; tile < num_tiles; tile += gridDim.x) {
    const Points points = tile_points<T>(net, tile);
    hidden_layers<T>(net, points, shared, hidden, 0);
    const float z = T::logit(mlp_layer(net.shape, net.shape.hidden_layers), net.parameters, hidden, T::numbers(shared));
    if (threadIdx.x < static_cast<unsigned>(points.count))
      output[tile * T::kPoints + threadIdx.x] = net.gain * mlp_output(net.shape, z);
  }
}

struct Gradients {
  const float* output;  ///< [n]
  float* input;         ///< [inputs, n]; may be null
  bool overwrite_input, input_is_aligned;
  float* partial;          ///< of the parameters, one set per block
  std::size_t parameters;  ///< of a set
};

/// Gradient of the points' input from that of the first hidden layer.
template <class T>
__device__ void input_gradient(const Network& net, const Gradients& g, std::size_t begin, int count,
                               const typename T::Element* grad, unsigned char* shared) {
  for (int first = 0; first < net.shape.inputs; first += T::kWidth)
    T::template product<Direction::backward>(net, 0, first, grad, {}, shared, [&](int i, int p, float4 c) {
      if (first + i >= net.shape.inputs || p >= count) return;
      float* const to = g.input + static_cast<std::size_t>(first + i) * net.n + begin + static_cast<std::size_t>(p);
      if (g.input_is_aligned && p + 4 <= count) {
        if (!g.overwrite_input) {
          const float4 before = load4(to);
          c = make_float4(before.x + c.x, before.y + c.y, before.z + c.z, before.w + c.w);
        }
        store4(to, c);
        return;
      }
      const float four[4] = {c.x, c.y, c.z, c.w};
      for (int j = 0; j < 4 && p + j < count; ++j) to[j] = g.overwrite_input ? four[j] : to[j] + four[j];
    });
}

/// The last layer's part: its parameters' gradient, and that of the top hidden layer in the latter's place.
template <class T>
__device__ void output_gradient(const Network& net, const Gradients& g, std::size_t begin, int count, bool first,
                                float* partial, float* numbers, typename T::Element* top) {
  const MlpLayer last = mlp_layer(net.shape, net.shape.hidden_layers);
  const int t = static_cast<int>(threadIdx.x);
  const float z = T::logit(last, net.parameters, top, numbers);
  __syncthreads();
  if (t < T::kPoints)
    numbers[t] =
        t < count ? mlp_output_vjp(net.shape, z, net.gain * g.output[begin + static_cast<std::size_t>(t)]) : 0.0f;
  __syncthreads();
  const auto add = [&](std::size_t at, float v) { partial[at] = first ? v : partial[at] + v; };
  if (t < net.shape.width) add(last.weights + static_cast<std::size_t>(t), T::row_sum(top + t * T::kRow, numbers));
  if (t == T::kThreads - 1) add(last.biases, T::row_sum(numbers, nullptr));
  __syncthreads();
  for (int i = t; i < net.shape.width * T::kPoints; i += T::kThreads) {
    const int o = i / T::kPoints, p = i % T::kPoints;
    typename T::Element& h = top[o * T::kRow + p];
    put(h, to_float(h) > 0.0f ? numbers[p] * net.parameters[last.weights + static_cast<std::size_t>(o)] : 0.0f);
  }
  __syncthreads();
}

/// A block goes through tiles blockIdx.x, blockIdx.x + gridDim.x, …: recomputes the hidden layers, then goes back, each
/// layer's gradient taking the layer's place. With kShared the layers are in shared memory, else in `hidden`.
template <class T, bool kShared>
__global__ void __launch_bounds__(T::kThreads, kShared ? blocks_per_sm<T>(4) : 1)
    backward_kernel(Network net, Gradients g, typename T::Element* hidden) {
  unsigned char* const shared = dynamic_shared<unsigned char>();
  const int num_hidden = net.shape.hidden_layers, t = static_cast<int>(threadIdx.x);
  typename T::Element* const layers =
      kShared ? T::hidden(shared, net.shape) : hidden + blockIdx.x * static_cast<std::size_t>(num_hidden) * T::kHidden;
  float* const partial = g.partial + blockIdx.x * g.parameters;
  const std::size_t num_tiles = (net.n + T::kPoints - 1) / T::kPoints;
  T::prepare(net, shared);
  for (std::size_t tile = blockIdx.x; tile < num_tiles; tile += gridDim.x) {
    const bool first = tile == blockIdx.x;
    const std::size_t begin = tile * T::kPoints;
    const Points points = tile_points<T>(net, tile);
    const auto add = [&](std::size_t at, float v) { partial[at] = first ? v : partial[at] + v; };
    hidden_layers<T>(net, points, shared, layers, T::kHidden);
    output_gradient<T>(net, g, begin, points.count, first, partial, T::numbers(shared),
                       layers + (num_hidden - 1) * T::kHidden);
    for (int l = num_hidden - 1; l >= 0; --l) {
      const MlpLayer layer = mlp_layer(net.shape, l);
      const int inputs = static_cast<int>(layer.inputs);
      const typename T::Element* const grad = layers + l * T::kHidden;
      __syncthreads();
      if (t < net.shape.width) add(layer.biases + static_cast<std::size_t>(t), T::row_sum(grad + t * T::kRow, nullptr));
      for (int i = 0; i < inputs; i += T::kGradientRows) {
        const typename T::Element* rows = T::stage(shared);
        if (l > 0) {
          rows = layers + (l - 1) * T::kHidden + i * T::kRow;
        } else if (!T::keeps_inputs(inputs)) {
          __syncthreads();
          T::stage_rows(points, i, T::kGradientRows, T::stage(shared));
          __syncthreads();
        }
        T::weight_gradient(grad, rows, shared, [&](int out, int in, float sum) {
          if (out < net.shape.width && i + in < inputs)
            add(layer.weights + static_cast<std::size_t>(out * inputs + i + in), sum);
        });
      }
      if (l > 0)
        T::template product<Direction::backward>(net, l, 0, grad, {}, shared, [&](int o, int p, float4 c) {
          typename T::Element* const at = layers + (l - 1) * T::kHidden + o * T::kRow + p;
          const float4 h = load4(at);
          store4(at,
                 make_float4(h.x > 0 ? c.x : 0.0f, h.y > 0 ? c.y : 0.0f, h.z > 0 ? c.z : 0.0f, h.w > 0 ? c.w : 0.0f));
        });
      else if (g.input != nullptr)
        input_gradient<T>(net, g, begin, points.count, grad, shared);
    }
  }
}

/// Calls run(tile) with a tile of the network's mlp_tile_size.
template <template <int, int> class T, class Run>
void with_width(int width, Run&& run) {
  switch (mlp_tile_size(width).width) {
    case 64:
      return run(T<64, mlp_tile_size(64).points>{});
    case 128:
      return run(T<128, mlp_tile_size(128).points>{});
    default:
      return run(T<256, mlp_tile_size(256).points>{});
  }
}
/// Whether the device multiplies TF32 numbers.
bool has_tensor_cores(const Context& ctx) {
  int major = 0;
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, ctx.device()), "cudaDeviceGetAttribute");
  return major >= 8;
}

/// With that of the network's precision.
template <class Run>
void with_tile(const Context& ctx, const MlpShape& shape, Run&& run) {
  if (shape.precision == MlpPrecision::bf16)
    with_width<MatrixTile>(shape.width, run);
  else if (has_tensor_cores(ctx))
    with_width<SplitTile>(shape.width, run);
  else
    with_width<FloatTile>(shape.width, run);
}

/// Blocks for the backward pass: few enough that their partial sums stay within reason, and all with the same number of
/// tiles but for the last round. Depends on sizes only, so that sums are the same on every device.
std::size_t backward_blocks(std::size_t num_tiles, std::size_t bytes_per_block, std::size_t max_blocks) {
  constexpr std::size_t kMinBlocks = 32, kMaxBytes = 64 << 20;
  const std::size_t most = std::clamp(kMaxBytes / bytes_per_block, kMinBlocks, max_blocks);
  const std::size_t rounds = (num_tiles + most - 1) / most;
  return (num_tiles + rounds - 1) / rounds;
}

/// Blocks of one launch at most. Those that hold all weights work on several tiles each, to bring them in less often.
template <class T>
constexpr std::size_t max_blocks() {
  return std::is_same_v<typename T::Element, Bf16> ? 400 : 1024;
}

}  // namespace

void mlp_forward(Context& ctx, const MlpInput& in, View<float> output) {
  const Network net{in.shape, in.parameters.data(), in.features.data(), output.size(), in.gain};
  with_tile(ctx, in.shape, [&](auto tile) {
    using T = decltype(tile);
    const std::size_t num_tiles = (net.n + T::kPoints - 1) / T::kPoints;
    launch(ctx, "mlp_forward",
           one_block_each(std::min(num_tiles, max_blocks<T>()), T::kThreads, T::shared_bytes(in.shape, 1)),
           forward_kernel<T>, net, output.data());
  });
}

void mlp_backward(Context& ctx, const MlpInput& in, View<const float> grad_output, const MlpGradient& gradient,
                  MlpScratch& scratch) {
  const MlpShape& shape = in.shape;
  const Network net{shape, in.parameters.data(), in.features.data(), grad_output.size(), in.gain};
  const std::size_t num_parameters = in.parameters.size();
  const bool aligned =
      net.n % 4 == 0 && reinterpret_cast<std::uintptr_t>(gradient.features.data()) % alignof(float4) == 0;
  with_tile(ctx, shape, [&](auto tile) {
    using T = decltype(tile);
    constexpr bool kAlwaysFits = std::is_same_v<typename T::Element, Bf16>;  // see mlp_fits_bf16
    const std::size_t hidden = static_cast<std::size_t>(shape.hidden_layers) * T::kHidden;
    const bool fits = kAlwaysFits || T::shared_bytes(shape, shape.hidden_layers) <= kSharedLimitBytes;
    const std::size_t num_blocks = backward_blocks(
        (net.n + T::kPoints - 1) / T::kPoints, sizeof(float) * (num_parameters + (fits ? 0 : hidden)), max_blocks<T>());
    const std::size_t partial_size = num_blocks * num_parameters, hidden_size = fits ? 0 : num_blocks * hidden;
    if (scratch.partial.size() < partial_size) scratch.partial.resize(ctx, partial_size);
    if (scratch.hidden.size() < hidden_size) scratch.hidden.resize(ctx, hidden_size);
    const Gradients gradients{grad_output.data(),
                              gradient.features.data(),
                              gradient.features_mode == GradientMode::overwrite,
                              aligned,
                              scratch.partial.data(),
                              num_parameters};
    const Grid grid = one_block_each(num_blocks, T::kThreads, T::shared_bytes(shape, fits ? shape.hidden_layers : 0));
    if (fits)
      launch(ctx, "mlp_backward", grid, backward_kernel<T, true>, net, gradients, nullptr);
    else if constexpr (!kAlwaysFits)
      launch(ctx, "mlp_backward", grid, backward_kernel<T, false>, net, gradients, scratch.hidden.data());
    add_partial(ctx, "mlp_add_partial", scratch.partial.data(), num_parameters, num_parameters, num_blocks,
                gradient.parameters.data());
  });
}

}  // namespace dsasrgs::cuda
