// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "common/host_vector.hpp"
#include "common/parallel.hpp"
#include "residual/residual_bodies.hpp"
#include "residual/residual_math.hpp"

namespace dsasrgs::cpu {

void residual_score_add(const Context& ctx, const ResidualInput& in, ResidualScores& scores) {
  constexpr std::size_t kRowsPerTask = 64;
  const VoxelProjection<float> view = voxel_projection(in.grid, in.pose, in.detector);
  const ResidualImage image{in.detector.width_px, in.detector.height_px, in.measured.data(), in.rendered.data(),
                            in.valid.empty() ? nullptr : in.valid.data()};
  const auto size_x = static_cast<std::size_t>(in.grid.size_x), size_y = static_cast<std::size_t>(in.grid.size_y);
  float* score = scores.score.data();
  std::uint32_t* seen = scores.seen.data();
  parallel_blocks(ctx, size_y * static_cast<std::size_t>(in.grid.size_z), kRowsPerTask,
                  [&](std::size_t begin, std::size_t end) {
                    for (std::size_t row = begin; row < end; ++row)
                      for (std::size_t x = 0, y = row % size_y, z = row / size_y; x < size_x; ++x)
                        add_view(view, image, {static_cast<float>(x), static_cast<float>(y), static_cast<float>(z)},
                                 score[row * size_x + x], seen[row * size_x + x]);
                  });
}

ResidualBirths pick_births(Context& ctx, const VolumeGrid& grid, const ResidualScores& scores, int min_views,
                           std::size_t max_count) {
  const float* score = scores.score.data();
  HostVector<std::uint32_t> picks;
  for (std::size_t i = 0; i < scores.score.size(); ++i)
    if (is_candidate(score[i], scores.seen.data()[i], static_cast<std::uint32_t>(min_views)))
      picks.push_back(static_cast<std::uint32_t>(i));
  const std::size_t count = std::min(max_count, picks.size());
  std::partial_sort(
      picks.begin(), picks.begin() + static_cast<std::ptrdiff_t>(count), picks.end(),
      [&](std::uint32_t a, std::uint32_t b) { return score[a] != score[b] ? score[a] > score[b] : a < b; });
  ResidualBirths births{Buffer<float>(ctx, 3 * count), Buffer<float>(ctx, count)};
  for (std::size_t k = 0; k < count; ++k) {
    write_center(grid, picks[k], births.position_mm.data() + 3 * k);
    births.score.data()[k] = score[picks[k]];
  }
  return births;
}

}  // namespace dsasrgs::cpu
