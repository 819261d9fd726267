// SPDX-License-Identifier: Apache-2.0
// One thread per voxel; views come one after another, so a voxel's minimum needs no atomics.

#include <algorithm>

#include "common/launch.cuh"
#include "common/sort_scan.hpp"
#include "residual/residual_bodies.hpp"
#include "residual/residual_math.hpp"

namespace dsasrgs::cuda {

namespace {

constexpr unsigned kThreads = 256;

__global__ void __launch_bounds__(kThreads)
    add_view_kernel(VoxelProjection<float> view, ResidualImage image, std::uint32_t size_x, std::uint32_t size_y,
                    float* score, std::uint32_t* seen, std::size_t n) {
  const std::size_t i = thread_index();
  if (i >= n) return;
  const VoxelIndex v = voxel_index(static_cast<std::uint32_t>(i), size_x, size_y);
  add_view(view, image, {static_cast<float>(v.x), static_cast<float>(v.y), static_cast<float>(v.z)}, score[i], seen[i]);
}

/// Sorts after every candidate.
constexpr std::uint32_t kNoCandidate = 0xffffffffu;

__global__ void __launch_bounds__(kThreads)
    key_candidates(const float* score, const std::uint32_t* seen, std::uint32_t min_views, std::uint32_t* keys,
                   std::uint32_t* indices, std::uint32_t* count, std::size_t n) {
  const std::size_t i = thread_index();
  const bool mine = i < n && is_candidate(score[i], seen[i], min_views);
  if (i < n) {
    // Bits of positive numbers are in the numbers' order; the sign bit is free, so no candidate has kNoCandidate's key.
    keys[i] = mine ? 0x7fffffffu - __float_as_uint(score[i]) : kNoCandidate;
    indices[i] = static_cast<std::uint32_t>(i);
  }
  const int of_block = __syncthreads_count(mine);
  if (threadIdx.x == 0 && of_block > 0) atomicAdd(count, static_cast<std::uint32_t>(of_block));
}

__global__ void __launch_bounds__(kThreads)
    write_births(VolumeGrid grid, const std::uint32_t* order, const float* score, float* position_mm,
                 float* birth_score, std::size_t count) {
  const std::size_t k = thread_index();
  if (k >= count) return;
  write_center(grid, order[k], position_mm + 3 * k);
  birth_score[k] = score[order[k]];
}

}  // namespace

void residual_score_add(Context& ctx, const ResidualInput& in, ResidualScores& scores) {
  const std::size_t n = scores.score.size();
  const ResidualImage image{in.detector.width_px, in.detector.height_px, in.measured.data(), in.rendered.data(),
                            in.valid.empty() ? nullptr : in.valid.data()};
  launch(ctx, "residual_score_add", one_thread_each(n, kThreads), add_view_kernel,
         voxel_projection(in.grid, in.pose, in.detector), image, static_cast<std::uint32_t>(in.grid.size_x),
         static_cast<std::uint32_t>(in.grid.size_y), scores.score.data(), scores.seen.data(), n);
}

ResidualBirths pick_births(Context& ctx, const VolumeGrid& grid, const ResidualScores& scores, int min_views,
                           std::size_t max_count) {
  const std::size_t n = scores.score.size();
  Buffer<std::uint32_t> keys(ctx, n), indices(ctx, n), sorted_keys(ctx, n), order(ctx, n);
  Buffer<std::uint32_t> candidates = Buffer<std::uint32_t>::zeros(ctx, 1);
  SortScanScratch scratch;
  launch(ctx, "residual_key_candidates", one_thread_each(n, kThreads), key_candidates, scores.score.data(),
         scores.seen.data(), static_cast<std::uint32_t>(min_views), keys.data(), indices.data(), candidates.data(), n);
  sort_pairs(ctx, 32, keys, sorted_keys, indices, order, scratch);
  const std::size_t count = std::min(max_count, std::size_t{candidates.to_host(ctx)[0]});
  ResidualBirths births{Buffer<float>(ctx, 3 * count), Buffer<float>(ctx, count)};
  launch(ctx, "residual_write_births", one_thread_each(count, kThreads), write_births, grid, order.data(),
         scores.score.data(), births.position_mm.data(), births.score.data(), count);
  return births;
}

}  // namespace dsasrgs::cuda
