// SPDX-License-Identifier: Apache-2.0
// Batch by batch of views: weight and filter their rows, then add them to every voxel. Views are added in their order,
// one thread to a voxel, so results do not depend on timing.

#include <algorithm>

#include "common/host_vector.hpp"
#include "common/launch.cuh"
#include "fdk/fdk_bodies.hpp"

namespace dsasrgs::cuda {

namespace {

/// Said to ptxas, which without it aims at more blocks on sm_100 and later and spills the set-up in double.
constexpr int kBlocksPerProcessor = 2;

// ---- filter ----

/// A block filters kRows rows; each thread owns kColumns columns of them, kFilterThreads apart, so that a tap that was
/// loaded serves kRows rows and a weighted pixel kColumns columns.
constexpr int kRows = 8, kColumns = 2, kFilterThreads = 128, kTile = kColumns * kFilterThreads;

/// Writes a filtered pixel, and with it the border that repeats it.
__device__ void write_bordered(float* image, int width, int height, int row, int column, float value) {
  const int first_row = row == 0 ? 0 : row + 1, last_row = row == height - 1 ? height + 1 : row + 1;
  const int first_column = column == 0 ? 0 : column + 1, last_column = column == width - 1 ? width + 1 : column + 1;
  for (int r = first_row; r <= last_row; ++r)
    for (int c = first_column; c <= last_column; ++c) image[static_cast<std::size_t>(r) * (width + 2) + c] = value;
}

/// filtered ← taps ∗ (weights × projection) along rows, tile of columns by tile. taps[m] is for the sample m − (width −
/// 1) columns away, with kTile zeros on either side. Block (x, y, z): columns, rows, view.
__global__ void __launch_bounds__(kFilterThreads, kBlocksPerProcessor)
    filter_rows_kernel(const FilterView* views, const float* taps, const float* projections, int width, int height,
                       float* filtered) {
  __shared__ FilterRow rows[kRows];
  alignas(16) __shared__ float tile[kTile][kRows];  // weighted pixels; a column's together, to be read at once
  const int thread = static_cast<int>(threadIdx.x), first_row = static_cast<int>(blockIdx.y) * kRows;
  const int num_rows = min(kRows, height - first_row), first_column = static_cast<int>(blockIdx.x) * kTile;
  if (thread < num_rows) rows[thread] = filter_row(views[blockIdx.z], first_row + thread);

  const std::size_t view_pixels = static_cast<std::size_t>(width) * height;
  const float* in = projections + blockIdx.z * view_pixels + static_cast<std::size_t>(first_row) * width;
  float sum[kColumns][kRows] = {};
  for (int begin = 0; begin < width; begin += kTile) {
    __syncthreads();
    for (int i = thread; i < kTile * num_rows; i += kFilterThreads) {
      const int j = i % kTile, r = i / kTile, column = begin + j;
      if (column < width)
        tile[j][r] =
            ray_weight(rows[r], static_cast<float>(column) + 0.5f) * in[static_cast<std::size_t>(r) * width + column];
    }
    __syncthreads();
    const float* tap = taps + (first_column + thread - begin) + kTile + (width - 1);
    const int end = min(kTile, width - begin);
    for (int j = 0; j < end; ++j) {
      float h[kColumns];
      for (int k = 0; k < kColumns; ++k) h[k] = tap[k * kFilterThreads - j];
      for (int q = 0; q < kRows / 4; ++q) {
        const float4 x = reinterpret_cast<const float4*>(tile[j])[q];
        for (int k = 0; k < kColumns; ++k) {
          sum[k][4 * q] += h[k] * x.x;
          sum[k][4 * q + 1] += h[k] * x.y;
          sum[k][4 * q + 2] += h[k] * x.z;
          sum[k][4 * q + 3] += h[k] * x.w;
        }
      }
    }
  }
  float* out = filtered + blockIdx.z * (static_cast<std::size_t>(width + 2) * (height + 2));
  for (int k = 0; k < kColumns; ++k) {
    const int column = first_column + thread + k * kFilterThreads;
    for (int r = 0; r < kRows; ++r)
      if (r < num_rows && column < width) write_bordered(out, width, height, first_row + r, column, sum[k][r]);
  }
}

// ---- back-projection ----

/// A block owns a brick of voxels, a thread a column of kDepth of them along z.
constexpr int kBrickX = 32, kBrickY = 8, kDepth = 8;

/// Column, row, depth and distance of a view at a voxel: the values of its four planes.
struct Homogeneous {
  float column, row, depth, distance;
};
__device__ Homogeneous step(Homogeneous p, float n, Homogeneous d) {
  return {p.column + n * d.column, p.row + n * d.row, p.depth + n * d.depth, p.distance + n * d.distance};
}

/// A view around one brick: at the brick's first voxel, and from voxel to voxel.
struct BrickView {
  Homogeneous first, per_x, per_y, per_z;
};

/// Worked out in double: within the brick, single precision then only carries the distance to its corner.
__device__ BrickView brick_view(const BackProjectPlanes& p, double x, double y, double z) {
  const auto at = [&](const IndexPlane& q) {
    return static_cast<float>(q.constant + x * q.per_x + y * q.per_y + z * q.per_z);
  };
  const auto f = [](double v) { return static_cast<float>(v); };
  return {{at(p.column), at(p.row), at(p.depth), at(p.distance)},
          {f(p.column.per_x), f(p.row.per_x), f(p.depth.per_x), f(p.distance.per_x)},
          {f(p.column.per_y), f(p.row.per_y), f(p.depth.per_y), f(p.distance.per_y)},
          {f(p.column.per_z), f(p.row.per_z), f(p.depth.per_z), f(p.distance.per_z)}};
}

/// The bordered image at the voxel, bilinear, times the squared distance weight; 0 outside the detector.
__device__ float back_projected(Homogeneous p, const float* image, int width, int height) {
  const float inverse = 1.0f / (p.depth * p.distance);  // one division for both reciprocals
  const float inverse_depth = inverse * p.distance, inverse_distance = inverse * p.depth;
  const float c = p.column * inverse_depth, r = p.row * inverse_depth;
  const bool seen = c >= 0.5f && c <= static_cast<float>(width) + 0.5f && r >= 0.5f &&
                    r <= static_cast<float>(height) + 0.5f && p.depth > 0.0f && p.distance > 0.0f;
  if (!seen) return 0;
  const int ic = static_cast<int>(c), ir = static_cast<int>(r), stride = width + 2;
  const float fc = c - static_cast<float>(ic), fr = r - static_cast<float>(ir);
  const float* v = image + (static_cast<std::size_t>(ir) * stride + ic);
  const float upper = v[0] + fc * (v[1] - v[0]), lower = v[stride] + fc * (v[stride + 1] - v[stride]);
  return inverse_distance * inverse_distance * (upper + fr * (lower - upper));
}

struct GridSize {
  int x, y, z;
};

/// volume ← (accumulate ? volume : 0) + Σ views, num_views ≤ kViewBatch.
__global__ void __launch_bounds__(kBrickX* kBrickY, kBlocksPerProcessor)
    back_project_kernel(const BackProjectPlanes* views, int num_views, const float* filtered, int width, int height,
                        GridSize size, bool accumulate, float* volume) {
  __shared__ BrickView bricks[kViewBatch];
  const int x0 = static_cast<int>(blockIdx.x) * kBrickX, y0 = static_cast<int>(blockIdx.y) * kBrickY;
  const int z0 = static_cast<int>(blockIdx.z) * kDepth;
  const int thread = static_cast<int>(threadIdx.y * kBrickX + threadIdx.x);
  if (thread < num_views) bricks[thread] = brick_view(views[thread], x0, y0, z0);
  __syncthreads();
  const int x = x0 + static_cast<int>(threadIdx.x), y = y0 + static_cast<int>(threadIdx.y);
  if (x >= size.x || y >= size.y) return;

  const std::size_t slice = static_cast<std::size_t>(size.x) * size.y;
  float* out = volume + z0 * slice + static_cast<std::size_t>(y) * size.x + x;
  const int depth = min(kDepth, size.z - z0);
  float sum[kDepth] = {};
  if (accumulate)
    for (int k = 0; k < kDepth; ++k)
      if (k < depth) sum[k] = out[k * slice];
  const std::size_t plane = static_cast<std::size_t>(width + 2) * (height + 2);
  for (int v = 0; v < num_views; ++v) {
    const BrickView& view = bricks[v];
    const Homogeneous p = step(step(view.first, static_cast<float>(threadIdx.x), view.per_x),
                               static_cast<float>(threadIdx.y), view.per_y);
    for (int k = 0; k < kDepth; ++k)
      if (k < depth)
        sum[k] += back_projected(step(p, static_cast<float>(k), view.per_z), filtered + v * plane, width, height);
  }
  for (int k = 0; k < kDepth; ++k)
    if (k < depth) out[k * slice] = sum[k];
}

// ---- host ----

/// Taps of all distances −(width − 1) … width − 1, between kTile zeros for the threads beyond the row's end.
HostVector<float> padded_taps(int width) {
  const HostVector<double> half = filter_taps(static_cast<std::size_t>(width));
  HostVector<float> taps(static_cast<std::size_t>(2 * (width - 1) + 1 + 2 * kTile), 0.0f);
  for (int m = 1 - width; m < width; ++m)
    taps[static_cast<std::size_t>(m + width - 1 + kTile)] =
        static_cast<float>(half[static_cast<std::size_t>(std::abs(m))]);
  return taps;
}

unsigned blocks_for(int n, int per_block) { return static_cast<unsigned>((n + per_block - 1) / per_block); }

}  // namespace

void fdk_reconstruct(Context& ctx, const FdkJob& job, View<float> volume) {
  const FdkInput& input = job.input;
  const int width = input.detector.width_px, height = input.detector.height_px;
  const std::size_t num_views = input.poses.size(), batch = std::min(kViewBatch, num_views);
  HostVector<FilterView> filter_views;
  HostVector<BackProjectPlanes> planes;
  for (std::size_t v = 0; v < num_views; ++v) {
    filter_views.push_back(filter_view(job, v));
    planes.push_back(back_project_planes(input, job.arc, v));
  }
  const auto device_filter_views = Buffer<FilterView>::from_host(ctx, filter_views);
  const auto device_planes = Buffer<BackProjectPlanes>::from_host(ctx, planes);
  const auto taps = Buffer<float>::from_host(ctx, padded_taps(width));
  Buffer<float> filtered(ctx, batch * static_cast<std::size_t>(width + 2) * static_cast<std::size_t>(height + 2));

  const GridSize size{input.grid.size_x, input.grid.size_y, input.grid.size_z};
  const dim3 bricks(blocks_for(size.x, kBrickX), blocks_for(size.y, kBrickY), blocks_for(size.z, kDepth));
  for (std::size_t first = 0; first < num_views; first += batch) {
    ctx.throw_if_stopped("FDK");
    const std::size_t count = std::min(batch, num_views - first);
    launch(
        ctx, "fdk_filter",
        {dim3(blocks_for(width, kTile), blocks_for(height, kRows), static_cast<unsigned>(count)), dim3(kFilterThreads)},
        filter_rows_kernel, device_filter_views.data() + first, taps.data(),
        input.projections.data() + first * input.detector.num_pixels(), width, height, filtered.data());
    launch(ctx, "fdk_back_project", {bricks, dim3(kBrickX, kBrickY)}, back_project_kernel, device_planes.data() + first,
           static_cast<int>(count), filtered.data(), width, height, size, first > 0, volume.data());
  }
}

}  // namespace dsasrgs::cuda
