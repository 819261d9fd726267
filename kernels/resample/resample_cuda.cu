// SPDX-License-Identifier: Apache-2.0
// One thread per output pixel; what neighbours read twice comes from the first-level cache.

#include "common/store.cuh"
#include "resample/resample_bodies.hpp"
#include "resample/resample_math.hpp"

namespace dsasrgs::cuda {

namespace {

constexpr unsigned kTileWidth = 32, kTileHeight = 8;

/// One thread for each pixel of a width × height image.
Grid one_thread_per_pixel(int width, int height) {
  const auto tiles = [](int pixels, unsigned tile) { return (static_cast<unsigned>(pixels) + tile - 1) / tile; };
  return {dim3(tiles(width, kTileWidth), tiles(height, kTileHeight)), dim3(kTileWidth, kTileHeight)};
}
__device__ int pixel_column() { return static_cast<int>(blockIdx.x * kTileWidth + threadIdx.x); }
__device__ int pixel_row() { return static_cast<int>(blockIdx.y * kTileHeight + threadIdx.y); }

__device__ int clamp_index(int i, int size) { return min(max(i, 0), size - 1); }

__global__ void __launch_bounds__(kTileWidth* kTileHeight)
    upsample_bicubic_kernel(ResampleShape shape, const float* low, float* high) {
  const int column = pixel_column(), row = pixel_row(), high_width = shape.low_width_px * shape.scale;
  if (column >= high_width || row >= shape.low_height_px * shape.scale) return;
  const CubicPhase<float> across = cubic_phase<float>(column % shape.scale, shape.scale);
  const CubicPhase<float> down = cubic_phase<float>(row % shape.scale, shape.scale);
  const float* source[4];
  for (int k = 0; k < 4; ++k)
    source[k] = low + static_cast<std::size_t>(clamp_index(row / shape.scale + down.first + k, shape.low_height_px)) *
                          shape.low_width_px;
  float v[4];  // of four source columns, combined vertically
  for (int k = 0; k < 4; ++k) {
    const int c = clamp_index(column / shape.scale + across.first + k, shape.low_width_px);
    v[k] = (down.weight[0] * source[0][c] + down.weight[1] * source[1][c]) +
           (down.weight[2] * source[2][c] + down.weight[3] * source[3][c]);
  }
  high[static_cast<std::size_t>(row) * high_width + column] =
      (across.weight[0] * v[0] + across.weight[1] * v[1]) + (across.weight[2] * v[2] + across.weight[3] * v[3]);
}

/// Consecutive pixels of a row, read at once.
template <int kSize>
struct Pixels;
template <>
struct Pixels<2> {
  using Vector = float2;
  __device__ static float sum(Vector v) { return v.x + v.y; }
  __device__ static Vector add(Vector a, Vector b) { return make_float2(a.x + b.x, a.y + b.y); }
};
template <>
struct Pixels<4> {
  using Vector = float4;
  __device__ static float sum(Vector v) { return ((v.x + v.y) + v.z) + v.w; }
  __device__ static Vector add(Vector a, Vector b) { return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w); }
};

/// Scale kScale, each row of a block read as one vector.
template <int kScale>
__global__ void __launch_bounds__(kTileWidth* kTileHeight)
    pool_vector_kernel(int width, int height, const float* high, float* low) {
  using Vector = typename Pixels<kScale>::Vector;
  const int column = pixel_column(), row = pixel_row();
  if (column >= width || row >= height) return;
  const Vector* block = reinterpret_cast<const Vector*>(high) + static_cast<std::size_t>(row) * kScale * width + column;
  Vector sum = block[0];
  for (int k = 1; k < kScale; ++k) sum = Pixels<kScale>::add(sum, block[static_cast<std::size_t>(k) * width]);
  low[static_cast<std::size_t>(row) * width + column] = Pixels<kScale>::sum(sum) * (1.0f / (kScale * kScale));
}

__global__ void __launch_bounds__(kTileWidth* kTileHeight)
    pool_kernel(ResampleShape shape, float factor, const float* high, float* low) {
  const int column = pixel_column(), row = pixel_row(), scale = shape.scale;
  if (column >= shape.low_width_px || row >= shape.low_height_px) return;
  const std::size_t high_width = static_cast<std::size_t>(shape.low_width_px) * scale;
  const float* block =
      high + static_cast<std::size_t>(row) * scale * high_width + static_cast<std::size_t>(column) * scale;
  float sum = 0;
  for (int c = 0; c < scale; ++c) {
    float column_sum = block[c];
    for (int r = 1; r < scale; ++r) column_sum += block[static_cast<std::size_t>(r) * high_width + c];
    sum += column_sum;
  }
  low[static_cast<std::size_t>(row) * shape.low_width_px + column] = sum * factor;
}

__global__ void __launch_bounds__(kTileWidth* kTileHeight)
    pool_adjoint_kernel(ResampleShape shape, float factor, GradientMode mode, const float* low, float* high) {
  const int column = pixel_column(), row = pixel_row(), high_width = shape.low_width_px * shape.scale;
  if (column >= high_width || row >= shape.low_height_px * shape.scale) return;
  const float value =
      low[static_cast<std::size_t>(row / shape.scale) * shape.low_width_px + column / shape.scale] * factor;
  store(high[static_cast<std::size_t>(row) * high_width + column], value, mode);
}

float mean_factor(const ResampleShape& shape) {
  const auto scale = static_cast<float>(shape.scale);
  return 1.0f / (scale * scale);
}

}  // namespace

void upsample_bicubic(Context& ctx, const ResampleShape& shape, View<const float> low, View<float> high) {
  launch(ctx, "upsample_bicubic",
         one_thread_per_pixel(shape.low_width_px * shape.scale, shape.low_height_px * shape.scale),
         upsample_bicubic_kernel, shape, low.data(), high.data());
}

void pool_average(Context& ctx, const ResampleShape& shape, View<const float> high, View<float> low) {
  const int width = shape.low_width_px, height = shape.low_height_px;
  const Grid grid = one_thread_per_pixel(width, height);
  const auto aligned = [&](std::size_t bytes) { return reinterpret_cast<std::uintptr_t>(high.data()) % bytes == 0; };
  if (shape.scale == 2 && aligned(sizeof(float2)))
    launch(ctx, "pool_average", grid, pool_vector_kernel<2>, width, height, high.data(), low.data());
  else if (shape.scale == 4 && aligned(sizeof(float4)))
    launch(ctx, "pool_average", grid, pool_vector_kernel<4>, width, height, high.data(), low.data());
  else
    launch(ctx, "pool_average", grid, pool_kernel, shape, mean_factor(shape), high.data(), low.data());
}

void pool_average_adjoint(Context& ctx, const ResampleShape& shape, View<const float> low, GradientMode mode,
                          View<float> high) {
  launch(ctx, "pool_average_adjoint",
         one_thread_per_pixel(shape.low_width_px * shape.scale, shape.low_height_px * shape.scale), pool_adjoint_kernel,
         shape, mean_factor(shape), mode, low.data(), high.data());
}

}  // namespace dsasrgs::cuda
