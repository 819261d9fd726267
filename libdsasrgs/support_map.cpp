// SPDX-License-Identifier: Apache-2.0
#include <Eigen/Eigenvalues>
#include <cmath>
#include <numbers>
#include <span>

#include "common/checks.hpp"
#include "common/parallel.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/uncertainty.hpp"
#include "report_progress.hpp"

namespace dsasrgs {

namespace {

constexpr const char* kSupportMap = "support_map";

/// The arc θ over which evenly spread lines have this ratio of the second moment across their mean to that along it:
/// (θ − sin θ)/(θ + sin θ), which grows from 0 at 0 to 1 at π.
double arc_of(double ratio) {
  constexpr int kHalvings = 30;
  double low = 0, high = std::numbers::pi;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = 0.5 * (low + high);
    ((middle - std::sin(middle)) < ratio * (middle + std::sin(middle)) ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

struct SupportingView {
  const Pose* pose;
  std::span<const std::uint8_t> valid;
};

bool sees(const SupportingView& view, const Detector& detector, Vec3d point) {
  const Vec2d at = project_point(*view.pose, detector, point);
  if (!(at.x >= 0 && at.x < detector.width_px && at.y >= 0 && at.y < detector.height_px)) return false;
  const std::size_t pixel =
      static_cast<std::size_t>(at.y) * static_cast<std::size_t>(detector.width_px) + static_cast<std::size_t>(at.x);
  return view.valid.empty() || view.valid[pixel] != 0;
}

}  // namespace

SupportMap support_map(const Context& ctx, const Acquisition& a, const std::vector<int>& views, const VolumeGrid& grid,
                       const ProgressCallback& progress) {
  return support_map(ctx, a, a.poses, views, grid, progress);
}

SupportMap support_map(const Context& ctx, const Acquisition& a, const std::vector<Pose>& poses,
                       const std::vector<int>& views, const VolumeGrid& grid, const ProgressCallback& progress) try {
  const std::size_t voxels = require_grid(kSupportMap, grid);
  require_size(kSupportMap, "poses", poses.size(), a.poses.size());
  require(!views.empty(), kSupportMap, "views: expected at least one, found none");
  std::vector<SupportingView> seen;
  for (const int view : views) {
    static_cast<void>(a.projection(view));
    seen.push_back({&poses[static_cast<std::size_t>(view)], a.valid_pixels(view)});
  }
  SupportMap map{grid, host_vector<int>(voxels), host_vector<float>(voxels)};
  const auto slices = static_cast<std::size_t>(grid.size_z), rows = static_cast<std::size_t>(grid.size_y);
  const auto columns = static_cast<std::size_t>(grid.size_x);
  for (std::size_t z = 0; z < slices; ++z) {
    report_progress(progress, {"supporting", z, slices, "slices"});
    parallel_for(ctx, rows, [&](std::size_t y) {
      for (std::size_t x = 0; x < columns; ++x) {
        const Vec3d center = grid.center_mm(static_cast<int>(x), static_cast<int>(y), static_cast<int>(z));
        Eigen::Matrix3d moments = Eigen::Matrix3d::Zero();
        int count = 0;
        for (const SupportingView& view : seen) {
          if (!sees(view, a.detector, center)) continue;
          const Vec3d ray = center - view.pose->source_mm;
          const Eigen::Vector3d direction = Eigen::Vector3d(ray.x, ray.y, ray.z).normalized();
          moments += direction * direction.transpose();
          ++count;
        }
        const std::size_t i = (z * rows + y) * columns + x;
        map.views[i] = count;
        if (count < 2) continue;
        Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d> solver(moments, Eigen::EigenvaluesOnly);
        const double second = solver.eigenvalues()(1), first = solver.eigenvalues()(2);
        map.spread_rad[i] = second > 1e-12 * first ? static_cast<float>(arc_of(second / first)) : 0.0f;
      }
    });
  }
  report_progress(progress, {"supporting", slices, slices, "slices"});
  return map;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
