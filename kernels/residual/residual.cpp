#include "residual/residual.hpp"

#include <cmath>
#include <limits>
#include <string>

#include "common/has_cuda.hpp"
#include "common/require.hpp"
#include "residual/residual_bodies.hpp"

namespace dsasrgs {
namespace {

void require_grid(const char* op, const VolumeGrid& grid, const ResidualScores& scores) {
  require(grid.size_x > 0 && grid.size_y > 0 && grid.size_z > 0, op,
          "grid: expected at least 1 x 1 x 1 voxels, found " + std::to_string(grid.size_x) + " x " +
              std::to_string(grid.size_y) + " x " + std::to_string(grid.size_z));
  const Vec3d s = grid.spacing_mm;
  require(s.x > 0 && s.y > 0 && s.z > 0, op,
          "grid: expected a positive spacing, found " + std::to_string(s.x) + " x " + std::to_string(s.y) + " x " +
              std::to_string(s.z) + " mm");
  require(grid.num_voxels() < std::numeric_limits<std::uint32_t>::max(), op,
          "grid: expected voxels that 32 bits can number, found " + std::to_string(grid.num_voxels()));
  require_size(op, "scores.score", grid.num_voxels(), scores.score.size());
  require_size(op, "scores.seen", grid.num_voxels(), scores.seen.size());
}

void require_view(const char* op, const ResidualInput& in) {
  const Detector& d = in.detector;
  require(d.width_px > 0 && d.height_px > 0, op,
          "detector: expected at least 1 x 1 pixels, found " + std::to_string(d.width_px) + " x " +
              std::to_string(d.height_px));
  require(d.pitch_u_mm > 0 && d.pitch_v_mm > 0, op,
          "detector: expected a positive pitch, found " + std::to_string(d.pitch_u_mm) + " x " +
              std::to_string(d.pitch_v_mm) + " mm");
  require_size(op, "measured", d.num_pixels(), in.measured.size());
  require_size(op, "rendered", d.num_pixels(), in.rendered.size());
  if (!in.valid.empty()) require_size(op, "valid", d.num_pixels(), in.valid.size());
  // The volume spanned by û, v̂ and the central ray, relative to its edges.
  const Vec3d c = in.pose.detector_center_mm - in.pose.source_mm;
  const double edges = length(c) * length(in.pose.detector_u) * length(in.pose.detector_v);
  const double volume = std::abs(dot(c, cross(in.pose.detector_u, in.pose.detector_v)));
  require(std::isfinite(edges) && volume > 1e-6 * edges, op,
          "pose: expected finite, independent detector axes and a source outside the detector's plane");
}

}  // namespace

ResidualScores ResidualScores::zeros(Context& ctx, const VolumeGrid& grid) {
  return {Buffer<float>::zeros(ctx, grid.num_voxels()), Buffer<std::uint32_t>::zeros(ctx, grid.num_voxels())};
}

void residual_score_add(Context& ctx, const ResidualInput& in, ResidualScores& scores) {
  constexpr const char* op = "residual_score_add";
  require_grid(op, in.grid, scores);
  require_view(op, in);
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::residual_score_add(ctx, in, scores);
  cpu::residual_score_add(ctx, in, scores);
}

ResidualBirths pick_births(Context& ctx, const VolumeGrid& grid, const ResidualScores& scores, int min_views,
                           std::size_t max_count) {
  constexpr const char* op = "pick_births";
  require_grid(op, grid, scores);
  require(min_views >= 1, op, "min_views: expected 1 or more, found " + std::to_string(min_views));
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return cuda::pick_births(ctx, grid, scores, min_views, max_count);
  return cpu::pick_births(ctx, grid, scores, min_views, max_count);
}

}  // namespace dsasrgs
