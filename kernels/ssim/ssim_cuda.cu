// SPDX-License-Identifier: Apache-2.0
#include "common/block_sum.cuh"
#include "common/store.cuh"
#include "ssim/ssim_bodies.hpp"
#include "ssim/ssim_math.hpp"

namespace dsasrgs::cuda {

namespace {

// A block of 256 threads makes a tile of 32 × 32 pixels. It stages the tile and its halo in shared memory, convolves
// along rows (a warp per row, a lane per column), then down the columns: each thread keeps a sliding window for four
// rows, so a row's value is read once for all four.
constexpr int kTile = 32, kHalo = kTile + 2 * kSsimRadius;
constexpr int kRowsPerThread = 4, kThreads = kTile * kTile / kRowsPerThread, kWarps = kThreads / 32;
static_assert(kThreads == kSumThreads, "so that the block sum serves");

struct Tile {
  int width, height, first_column, first_row;
  int column, row;  ///< of this thread's first output pixel

  __device__ Tile(int w, int h)
      : width(w),
        height(h),
        first_column(static_cast<int>(blockIdx.x) * kTile),
        first_row(static_cast<int>(blockIdx.y) * kTile),
        column(first_column + static_cast<int>(lane_index())),
        row(first_row + static_cast<int>(threadIdx.x / 32) * kRowsPerThread) {}
  /// Index of the pixel `r` rows below this thread's first, or −1 outside the image.
  __device__ int pixel(int r) const { return column < width && row + r < height ? (row + r) * width + column : -1; }
};

/// Loads kMaps maps of the tile and its halo through load(map, pixel); 0 outside the image.
template <int kMaps, class Load>
__device__ void stage(const Tile& t, float (&staged)[kMaps][kHalo][kHalo], Load&& load) {
  for (int i = static_cast<int>(threadIdx.x); i < kHalo * kHalo; i += kThreads) {
    const int r = i / kHalo, c = i % kHalo;
    const int y = t.first_row + r - kSsimRadius, x = t.first_column + c - kSsimRadius;
    const bool inside = x >= 0 && x < t.width && y >= 0 && y < t.height;
    for (int m = 0; m < kMaps; ++m) staged[m][r][c] = inside ? load(m, y * t.width + x) : 0.0f;
  }
}

/// Convolves down a column of `along_rows`: out[r] for this thread's four rows.
__device__ inline void convolve_column(const SsimWindow& w, const float (&along_rows)[kHalo][kTile],
                                       float (&out)[kRowsPerThread]) {
  const int lane = static_cast<int>(lane_index()), first = static_cast<int>(threadIdx.x / 32) * kRowsPerThread;
  for (float& o : out) o = 0.0f;
#pragma unroll
  for (int k = 0; k < kSsimTaps + kRowsPerThread - 1; ++k) {
    const float v = along_rows[first + k][lane];
#pragma unroll
    for (int r = 0; r < kRowsPerThread; ++r)
      if (k - r >= 0 && k - r < kSsimTaps) out[r] += w.tap[k - r] * v;
  }
}

struct ForwardArguments {
  int width, height;
  float c1, c2;
  SsimWindow window;
  const float *x, *y;
  const std::uint8_t* valid;  ///< null: all
  float* derivative;          ///< [3,H,W] or null
  float* map;                 ///< [H,W] or null
  float* partial;             ///< [blocks,kImageLossSums], or null
};

__global__ void __launch_bounds__(kThreads) ssim_forward_kernel(ForwardArguments a) {
  __shared__ float staged[2][kHalo][kHalo];
  __shared__ float moments[4][kHalo][kTile];  // E[x], E[y], E[x²] + E[y²], E[xy] along rows
  const Tile t(a.width, a.height);
  stage<2>(t, staged, [&](int map, int pixel) {
    if (a.valid != nullptr && a.valid[pixel] == 0) return 0.0f;
    return map == 0 ? a.x[pixel] : a.y[pixel];
  });
  __syncthreads();

  const int lane = static_cast<int>(lane_index());
  for (int r = static_cast<int>(threadIdx.x / 32); r < kHalo; r += kWarps) {
    float mean_x = 0, mean_y = 0, square = 0, cross = 0;
#pragma unroll
    for (int k = 0; k < kSsimTaps; ++k) {
      const float w = a.window.tap[k], x = staged[0][r][lane + k], y = staged[1][r][lane + k];
      mean_x += w * x;
      mean_y += w * y;
      square += w * (x * x + y * y);
      cross += w * (x * y);
    }
    moments[0][r][lane] = mean_x;
    moments[1][r][lane] = mean_y;
    moments[2][r][lane] = square;
    moments[3][r][lane] = cross;
  }
  __syncthreads();

  float m[4][kRowsPerThread];
  for (int q = 0; q < 4; ++q) convolve_column(a.window, moments[q], m[q]);
  float sum[kImageLossSums] = {};
  const std::size_t pixels = static_cast<std::size_t>(a.width) * static_cast<std::size_t>(a.height);
#pragma unroll
  for (int r = 0; r < kRowsPerThread; ++r) {
    const int p = t.pixel(r);
    if (p < 0) continue;
    const SsimMoments<float> moment{m[0][r], m[1][r], m[2][r], m[3][r]};
    const SsimTerms<float> terms = ssim_terms(moment, a.c1, a.c2);
    const bool counts = a.valid == nullptr || a.valid[p] != 0;
    if (a.map != nullptr) a.map[p] = terms.value;
    if (a.derivative != nullptr) {
      const SsimDerivative<float> d = counts ? ssim_derivative(moment, terms) : SsimDerivative<float>{};
      a.derivative[p] = d.mean_x;
      a.derivative[pixels + static_cast<std::size_t>(p)] = d.square;
      a.derivative[2 * pixels + static_cast<std::size_t>(p)] = d.cross;
    }
    if (counts) {
      const int column = lane + kSsimRadius,
                row = static_cast<int>(threadIdx.x / 32) * kRowsPerThread + r + kSsimRadius;
      const float x = staged[0][row][column];
      sum[0] += fabsf(x - staged[1][row][column]);
      sum[1] += terms.value;
      sum[2] += x;
    }
  }
  if (a.partial == nullptr) return;  // the same for all threads
  sum_over_block(sum);
  if (threadIdx.x == 0) {
    const std::size_t block = std::size_t{blockIdx.y} * gridDim.x + blockIdx.x;
    for (int q = 0; q < kImageLossSums; ++q) a.partial[kImageLossSums * block + static_cast<std::size_t>(q)] = sum[q];
  }
}

/// One block adds the parts in double, in a fixed order.
__global__ void __launch_bounds__(kThreads)
    image_loss_sum_kernel(const float* partial, std::size_t parts, double num_valid, double unit, float ssim_weight,
                          ImageLossValue* value) {
  double sum[kImageLossSums] = {};
  for (std::size_t i = threadIdx.x; i < parts; i += kThreads)
    for (int m = 0; m < kImageLossSums; ++m) sum[m] += partial[kImageLossSums * i + static_cast<std::size_t>(m)];
  sum_over_block(sum);
  if (threadIdx.x == 0) *value = image_loss_from_sums(sum, num_valid, unit, ssim_weight);
}

struct BackwardArguments {
  int width, height;
  SsimWindow window;
  const float *x, *y;
  const std::uint8_t* valid;  ///< null: all
  const float* derivative;    ///< [3,H,W]
  ImageLossWeights weights;
  GradientMode mode;
  float* grad;
};

__global__ void __launch_bounds__(kThreads) ssim_backward_kernel(BackwardArguments a) {
  __shared__ float staged[3][kHalo][kHalo];
  __shared__ float along_rows[3][kHalo][kTile];
  const Tile t(a.width, a.height);
  const std::size_t pixels = static_cast<std::size_t>(a.width) * static_cast<std::size_t>(a.height);
  stage<3>(t, staged, [&](int map, int pixel) {
    return a.derivative[static_cast<std::size_t>(map) * pixels + static_cast<std::size_t>(pixel)];
  });
  __syncthreads();
  const int lane = static_cast<int>(lane_index());
  for (int r = static_cast<int>(threadIdx.x / 32); r < kHalo; r += kWarps)
    for (int m = 0; m < 3; ++m) {
      float sum = 0;
#pragma unroll
      for (int k = 0; k < kSsimTaps; ++k) sum += a.window.tap[k] * staged[m][r][lane + k];
      along_rows[m][r][lane] = sum;
    }
  __syncthreads();
  float d[3][kRowsPerThread];
  for (int m = 0; m < 3; ++m) convolve_column(a.window, along_rows[m], d[m]);
#pragma unroll
  for (int r = 0; r < kRowsPerThread; ++r) {
    const int p = t.pixel(r);
    if (p < 0) continue;
    float gradient = 0;
    if (a.valid == nullptr || a.valid[p] != 0)
      gradient = image_loss_gradient(a.x[p], a.y[p], SsimDerivative<float>{d[0][r], d[1][r], d[2][r]}, a.weights.l1,
                                     a.weights.ssim);
    store(a.grad[p], gradient, a.mode);
  }
}

Grid tiles_of(const ImageLossShape& shape) {
  return {dim3(static_cast<unsigned>((shape.width_px + kTile - 1) / kTile),
               static_cast<unsigned>((shape.height_px + kTile - 1) / kTile)),
          dim3(kThreads)};
}

ForwardArguments forward_arguments(const ImageLossShape& shape, View<const float> x, View<const float> y) {
  ForwardArguments a{};
  a.width = shape.width_px;
  a.height = shape.height_px;
  const SsimConstants constants = ssim_constants(shape);
  a.c1 = constants.c1;
  a.c2 = constants.c2;
  a.window = ssim_window();
  a.x = x.data();
  a.y = y.data();
  return a;
}

}  // namespace

void image_loss_forward(Context& ctx, const ImageLossShape& shape, const ImageLossInput& input, double num_valid,
                        ImageLossSaved& saved) {
  const Grid grid = tiles_of(shape);
  const std::size_t parts = std::size_t{grid.blocks.x} * grid.blocks.y;
  saved.partial.resize(ctx, kImageLossSums * parts);
  ForwardArguments a = forward_arguments(shape, input.rendered, input.target);
  a.valid = input.valid.data();
  a.derivative = saved.derivative.data();
  a.partial = saved.partial.data();
  launch(ctx, "image_loss_forward", grid, ssim_forward_kernel, a);
  launch(ctx, "image_loss_forward (sum)", {dim3(1), dim3(kThreads)}, image_loss_sum_kernel, saved.partial.data(), parts,
         num_valid, num_valid * static_cast<double>(shape.unit), shape.ssim_weight, saved.value.data());
}

void image_loss_backward(Context& ctx, const ImageLossShape& shape, const ImageLossInput& input,
                         View<const float> derivative, const ImageLossWeights& weights, GradientMode mode,
                         View<float> grad_rendered) {
  BackwardArguments a{};
  a.width = shape.width_px;
  a.height = shape.height_px;
  a.window = ssim_window();
  a.x = input.rendered.data();
  a.y = input.target.data();
  a.valid = input.valid.data();
  a.derivative = derivative.data();
  a.weights = weights;
  a.mode = mode;
  a.grad = grad_rendered.data();
  launch(ctx, "image_loss_backward", tiles_of(shape), ssim_backward_kernel, a);
}

void ssim_map(Context& ctx, const ImageLossShape& shape, View<const float> x, View<const float> y, View<float> map) {
  ForwardArguments a = forward_arguments(shape, x, y);
  a.map = map.data();
  launch(ctx, "ssim_map", tiles_of(shape), ssim_forward_kernel, a);
}

}  // namespace dsasrgs::cuda
