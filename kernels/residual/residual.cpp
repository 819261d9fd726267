// SPDX-License-Identifier: Apache-2.0
#include "residual/residual.hpp"

#include <limits>
#include <string>

#include "common/checks.hpp"
#include "common/has_cuda.hpp"
#include "residual/residual_bodies.hpp"

namespace dsasrgs {
namespace {

void require_scores(const char* op, const VolumeGrid& grid, const ResidualScores& scores) {
  const std::size_t voxels = require_grid(op, grid);
  require(voxels < std::numeric_limits<std::uint32_t>::max(), op,
          "grid: expected voxels that 32 bits can number, found ", voxels);
  require_size(op, "scores.score", voxels, scores.score.size());
  require_size(op, "scores.seen", voxels, scores.seen.size());
}

void require_view(const char* op, const ResidualInput& in) {
  const std::size_t pixels = require_detector(op, in.detector);
  require_size(op, "measured", pixels, in.measured.size());
  require_size(op, "rendered", pixels, in.rendered.size());
  if (!in.valid.empty()) require_size(op, "valid", pixels, in.valid.size());
  require_pose(op, in.pose);
}

}  // namespace

ResidualScores ResidualScores::zeros(Context& ctx, const VolumeGrid& grid) {
  const std::size_t voxels = require_voxels("ResidualScores::zeros", grid);
  return {Buffer<float>::zeros(ctx, voxels), Buffer<std::uint32_t>::zeros(ctx, voxels)};
}

void residual_score_add(Context& ctx, const ResidualInput& in, ResidualScores& scores) {
  constexpr const char* kOp = "residual_score_add";
  require_scores(kOp, in.grid, scores);
  require_view(kOp, in);
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::residual_score_add(ctx, in, scores);
  cpu::residual_score_add(ctx, in, scores);
}

ResidualBirths pick_births(Context& ctx, const VolumeGrid& grid, const ResidualScores& scores, int min_views,
                           std::size_t max_count) {
  constexpr const char* kOp = "pick_births";
  require_scores(kOp, grid, scores);
  require_count(kOp, "min_views", min_views, 1);
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::pick_births(ctx, grid, scores, min_views, max_count);
  return cpu::pick_births(ctx, grid, scores, min_views, max_count);
}

}  // namespace dsasrgs
