// SPDX-License-Identifier: Apache-2.0
#include "train/residual_births.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace dsasrgs {

namespace {

/// First view of every window of `length` out of `count`: half a window apart, the last one ending with the last view.
std::vector<std::size_t> window_starts(std::size_t count, std::size_t length) {
  const std::size_t last = count - length, stride = std::max<std::size_t>(1, length / 2);
  std::vector<std::size_t> starts;
  for (std::size_t start = 0; start < last; start += stride) starts.push_back(start);
  starts.push_back(last);
  return starts;
}

/// Position in the grid: the order of voxels.
auto grid_order(const GaussianBirth& b) { return std::tuple(b.position_mm.z, b.position_mm.y, b.position_mm.x); }

}  // namespace

VolumeGrid residual_grid(const VolumeGrid& volume, double low_resolution_voxel_mm) {
  constexpr double kMostVoxels = 1 << 24;
  const double as_detector = low_resolution_voxel_mm / volume.mean_spacing_mm();
  const double as_memory = std::cbrt(static_cast<double>(volume.num_voxels()) / kMostVoxels);
  return volume.coarsened(std::max({1.0, as_detector, as_memory}));
}

std::vector<GaussianBirth> find_residual_births(Context& ctx, const ResidualBirthsConfig& config,
                                                const VolumeGrid& grid, const Detector& detector,
                                                const std::vector<ResidualView>& views, std::size_t max_count) {
  if (views.empty() || max_count == 0) return {};
  const auto share = static_cast<std::size_t>(std::lround(config.window * static_cast<double>(views.size())));
  const std::size_t length = std::clamp<std::size_t>(share, 1, views.size());
  const int min_views = static_cast<int>(std::min(length, static_cast<std::size_t>(config.min_views)));
  std::vector<GaussianBirth> births;  // the best of every window hold the best of all
  for (const std::size_t start : window_starts(views.size(), length)) {
    ResidualScores scores = ResidualScores::zeros(ctx, grid);
    for (std::size_t i = start; i < start + length; ++i)
      residual_score_add(ctx, {grid, views[i].pose, detector, views[i].measured, views[i].rendered, views[i].valid},
                         scores);
    const ResidualBirths picked = pick_births(ctx, grid, scores, min_views, max_count);
    const std::vector<float> position = picked.position_mm.to_host(ctx), score = picked.score.to_host(ctx);
    for (std::size_t k = 0; k < score.size(); ++k)
      births.push_back({{position[3 * k], position[3 * k + 1], position[3 * k + 2]}, score[k]});
  }
  // One birth per voxel, with its largest score.
  std::sort(births.begin(), births.end(), [](const GaussianBirth& a, const GaussianBirth& b) {
    return grid_order(a) != grid_order(b) ? grid_order(a) < grid_order(b) : a.score > b.score;
  });
  births.erase(
      std::unique(births.begin(), births.end(),
                  [](const GaussianBirth& a, const GaussianBirth& b) { return grid_order(a) == grid_order(b); }),
      births.end());
  std::stable_sort(births.begin(), births.end(),
                   [](const GaussianBirth& a, const GaussianBirth& b) { return a.score > b.score; });
  births.resize(std::min(births.size(), max_count));
  return births;
}

}  // namespace dsasrgs
