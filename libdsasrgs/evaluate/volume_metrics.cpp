// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "common/checks.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/metrics.hpp"
#include "evaluate/marching_cubes.hpp"
#include "evaluate/windowed_ssim.hpp"
#include "point_tree.hpp"
#include "report_progress.hpp"
#include "require_finite.hpp"

namespace dsasrgs {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void check_volume(const char* what, std::span<const float> volume, const VolumeGrid& grid) {
  if (volume.size() != grid.num_voxels())
    throw InvalidArgument(std::string("score_volume: ") + what + ": expected " + std::to_string(grid.num_voxels()) +
                          " elements, found " + std::to_string(volume.size()));
  require_finite_voxels("score_volume", what, volume, grid);
}

/// A slice done, of one of the passes through the volume.
class Slices {
 public:
  Slices(const ProgressCallback& progress, const VolumeGrid& grid)
      : progress_(progress), total_(kPasses * static_cast<std::size_t>(grid.size_z)) {
    report();
  }
  void next() {
    ++done_;
    report();
  }

 private:
  static constexpr std::size_t kPasses = 7;  // PSNR, SSIM, Dice, two surfaces, distances both ways
  void report() const { report_progress(progress_, {"scoring the volume", done_, total_, "slices"}); }

  const ProgressCallback& progress_;
  std::size_t total_, done_ = 0;
};

std::size_t slice_size(const VolumeGrid& grid) {
  return static_cast<std::size_t>(grid.size_x) * static_cast<std::size_t>(grid.size_y);
}

double psnr(std::span<const float> volume, std::span<const float> reference, const VolumeGrid& grid, double range,
            Slices& slices) {
  double sum_squares = 0;
  const std::size_t slice = slice_size(grid);
  for (std::size_t first = 0; first < volume.size(); first += slice, slices.next())
    for (std::size_t i = first; i < first + slice; ++i) {
      const double d = static_cast<double>(volume[i]) - static_cast<double>(reference[i]);
      sum_squares += d * d;
    }
  return 10 * std::log10(range * range / (sum_squares / static_cast<double>(volume.size())));
}

double ssim(std::span<const float> volume, std::span<const float> reference, const VolumeGrid& grid, double range,
            Slices& slices) {
  const std::size_t slice = slice_size(grid);
  const auto load = [&](int z, double* rendered, double* truth, double* left_out) {
    const std::size_t first = static_cast<std::size_t>(z) * slice;
    std::copy_n(volume.data() + first, slice, rendered);
    std::copy_n(reference.data() + first, slice, truth);
    std::fill_n(left_out, slice, 0.0);
    slices.next();
  };
  return mean_windowed_ssim({grid.size_x, grid.size_y, grid.size_z, kSsimWindow}, load, range);
}

double dice(std::span<const float> volume, std::span<const float> reference, const VolumeGrid& grid, double threshold,
            Slices& slices) {
  std::size_t num_both = 0, num_either = 0;
  const std::size_t slice = slice_size(grid);
  for (std::size_t first = 0; first < volume.size(); first += slice, slices.next())
    for (std::size_t i = first; i < first + slice; ++i) {
      const bool a = static_cast<double>(volume[i]) > threshold, b = static_cast<double>(reference[i]) > threshold;
      num_both += a && b;
      num_either += static_cast<std::size_t>(a) + static_cast<std::size_t>(b);
    }
  return num_either > 0 ? 2 * static_cast<double>(num_both) / static_cast<double>(num_either) : kNan;
}

// Mean and 95th percentile of the distances from `points` to the nearest vertex of a surface.
struct SurfaceDistance {
  double mean_mm = 0, percentile95_mm = 0;
};

SurfaceDistance surface_distance(const std::vector<Vec3d>& points, const PointTree& surface, const VolumeGrid& grid,
                                 Slices& slices) {
  std::vector<double> distances(points.size());
  const auto parts = static_cast<std::size_t>(grid.size_z);
  for (std::size_t part = 0; part < parts; ++part, slices.next())
    for (std::size_t i = points.size() * part / parts; i < points.size() * (part + 1) / parts; ++i)
      distances[i] = surface.distance_mm(points[i]);
  SurfaceDistance result;
  for (const double d : distances) result.mean_mm += d / static_cast<double>(distances.size());
  const double rank = 0.95 * static_cast<double>(distances.size() - 1);
  const auto low = distances.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(distances.begin(), low, distances.end());
  const double next = low + 1 < distances.end() ? *std::min_element(low + 1, distances.end()) : *low;
  result.percentile95_mm = *low + (rank - std::floor(rank)) * (next - *low);
  return result;
}

}  // namespace

VolumeScore score_volume(std::span<const float> volume, std::span<const float> reference, const VolumeGrid& grid,
                         double threshold, const ProgressCallback& progress) try {
  require_grid("score_volume", grid);
  check_volume("volume", volume, grid);
  check_volume("reference", reference, grid);
  if (!std::isfinite(threshold))
    throw InvalidArgument("score_volume: threshold: expected a finite number, found " + std::to_string(threshold));
  const double range = static_cast<double>(*std::max_element(reference.begin(), reference.end()));
  if (!(range > 0))
    throw InvalidArgument("score_volume: reference: expected a positive maximum, found " + std::to_string(range));

  VolumeScore score;
  Slices slices(progress, grid);
  score.psnr_db = psnr(volume, reference, grid, range, slices);
  score.ssim = ssim(volume, reference, grid, range, slices);
  score.dice = dice(volume, reference, grid, threshold, slices);
  const auto after_slice = [&] { slices.next(); };
  const std::vector<Vec3d> a = isosurface_vertices(volume, grid, threshold, after_slice);
  const std::vector<Vec3d> b = isosurface_vertices(reference, grid, threshold, after_slice);
  if (a.empty() || b.empty()) return score;
  const SurfaceDistance to_reference = surface_distance(a, PointTree(b), grid, slices),
                        to_volume = surface_distance(b, PointTree(a), grid, slices);
  score.chamfer_mm = to_reference.mean_mm + to_volume.mean_mm;
  score.hd95_mm = std::max(to_reference.percentile95_mm, to_volume.percentile95_mm);
  return score;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
