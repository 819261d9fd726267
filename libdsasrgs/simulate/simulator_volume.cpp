// SPDX-License-Identifier: Apache-2.0
// Simulation of a sweep over the vessels of a volume.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include "common/checks.hpp"
#include "common/host_vector.hpp"
#include "common/parallel.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/simulator.hpp"
#include "raycast/raycast.hpp"
#include "simulate/simulated_sweep.hpp"
#include "simulate/vessel_paths.hpp"

namespace dsasrgs {

namespace {

constexpr double kLongestDelay_s = 1000;
constexpr double kDelayStep_s = 0.01;  // curves are computed at this spacing of delays and interpolated between

/// The part of a volume that holds vessels, one voxel of margin around, and what fills each vessel voxel when.
class VesselVolume {
 public:
  VesselVolume(const Volume& volume, double threshold, const ContrastOptions& contrast)
      : full_(volume.grid), curves_(std::vector<double>{}, contrast) {
    std::vector<std::uint8_t> is_vessel(volume.values.size());
    float largest = 0;
    for (std::size_t i = 0; i < is_vessel.size(); ++i) {
      is_vessel[i] = static_cast<double>(volume.values[i]) > threshold;
      if (is_vessel[i]) largest = std::max(largest, volume.values[i]);
    }
    const VesselPaths paths = vessel_paths(is_vessel, full_);
    require_field(!paths.voxel.empty(), "threshold", "a value that some voxel exceeds", threshold);
    crop(paths.voxel);
    double longest = 0;
    for (const double path : paths.path_length_mm) longest = std::max(longest, path);
    if (!(longest / contrast.velocity_mm_per_s <= kLongestDelay_s))
      require_field(false, "velocity_mm_per_s",
                    ("at least " + plain_number(longest / kLongestDelay_s) + " for " + plain_number(longest) +
                     " mm of vessel within 1000 s")
                        .c_str(),
                    contrast.velocity_mm_per_s);
    std::vector<double> delays(
        2 + static_cast<std::size_t>(std::ceil(longest / contrast.velocity_mm_per_s / kDelayStep_s)));
    for (std::size_t i = 0; i < delays.size(); ++i) delays[i] = static_cast<double>(i) * kDelayStep_s;
    curves_ = ContrastCurves(std::move(delays), contrast);
    for (std::size_t i = 0; i < paths.voxel.size(); ++i)
      filled_.push_back({cropped_index(paths.voxel[i]),
                         paths.path_length_mm[i] / contrast.velocity_mm_per_s / kDelayStep_s,
                         volume.values[paths.voxel[i]] / largest});
  }

  const VolumeGrid& grid() const { return grid_; }

  /// Time mean of the attenuation on grid(), [z,y,x].
  std::vector<float> attenuation(const std::vector<double>& times_s) const {
    std::vector<double> at_delay;
    for (const double t : times_s) {
      const std::vector<double> now = curves_.attenuation(t);
      at_delay.resize(now.size());
      for (std::size_t i = 0; i < now.size(); ++i) at_delay[i] += now[i] / static_cast<double>(times_s.size());
    }
    std::vector<float> values = host_vector<float>(grid_.num_voxels());
    for (const Filled& f : filled_) {
      const auto step = static_cast<std::size_t>(f.delay_steps);
      const double between = f.delay_steps - static_cast<double>(step);
      values[f.voxel] = static_cast<float>(static_cast<double>(f.share) *
                                           (at_delay[step] * (1 - between) + at_delay[step + 1] * between));
    }
    return values;
  }

 private:
  struct Filled {
    std::size_t voxel;   ///< in the cropped grid
    double delay_steps;  ///< delay / kDelayStep_s
    float share;         ///< value / largest value
  };

  void crop(const std::vector<std::size_t>& voxels) {
    int high[3] = {0, 0, 0};
    const int size[3] = {full_.size_x, full_.size_y, full_.size_z};
    for (int axis = 0; axis < 3; ++axis) low_[axis] = size[axis];
    for (const std::size_t v : voxels) {
      const int at[3] = {x_of(v), y_of(v), z_of(v)};
      for (int axis = 0; axis < 3; ++axis) {
        low_[axis] = std::min(low_[axis], std::max(0, at[axis] - 1));
        high[axis] = std::max(high[axis], std::min(size[axis] - 1, at[axis] + 1));
      }
    }
    grid_ = {high[0] - low_[0] + 1, high[1] - low_[1] + 1, high[2] - low_[2] + 1, full_.spacing_mm,
             full_.origin_mm +
                 Vec3d{low_[0] * full_.spacing_mm.x, low_[1] * full_.spacing_mm.y, low_[2] * full_.spacing_mm.z}};
  }

  int x_of(std::size_t v) const { return static_cast<int>(v % static_cast<std::size_t>(full_.size_x)); }
  int y_of(std::size_t v) const {
    return static_cast<int>(v / static_cast<std::size_t>(full_.size_x) % static_cast<std::size_t>(full_.size_y));
  }
  int z_of(std::size_t v) const {
    return static_cast<int>(v / static_cast<std::size_t>(full_.size_x) / static_cast<std::size_t>(full_.size_y));
  }
  std::size_t cropped_index(std::size_t v) const {
    const auto x = static_cast<std::size_t>(x_of(v) - low_[0]), y = static_cast<std::size_t>(y_of(v) - low_[1]);
    const auto z = static_cast<std::size_t>(z_of(v) - low_[2]);
    return (z * static_cast<std::size_t>(grid_.size_y) + y) * static_cast<std::size_t>(grid_.size_x) + x;
  }

  VolumeGrid full_, grid_;
  int low_[3] = {0, 0, 0};
  ContrastCurves curves_;
  std::vector<Filled> filled_;
};

/// Trilinear interpolation between voxel centres, 0 outside.
double interpolate(const std::vector<float>& values, const VolumeGrid& grid, Vec3d p) {
  const Vec3d d = p - grid.origin_mm;
  const double at[3] = {d.x / grid.spacing_mm.x - 0.5, d.y / grid.spacing_mm.y - 0.5, d.z / grid.spacing_mm.z - 0.5};
  const int size[3] = {grid.size_x, grid.size_y, grid.size_z};
  int first[3];
  double between[3];
  for (int axis = 0; axis < 3; ++axis) {
    if (!(at[axis] > -1 && at[axis] < size[axis])) return 0;
    first[axis] = static_cast<int>(std::floor(at[axis]));
    between[axis] = at[axis] - first[axis];
  }
  double sum = 0;
  for (int corner = 0; corner < 8; ++corner) {
    double weight = 1;
    std::size_t index = 0;
    bool outside = false;
    for (int axis = 2; axis >= 0; --axis) {
      const int upper = corner >> axis & 1, i = first[axis] + upper;
      outside = outside || i < 0 || i >= size[axis];
      weight *= upper ? between[axis] : 1 - between[axis];
      index = index * static_cast<std::size_t>(size[axis]) + static_cast<std::size_t>(std::max(i, 0));
    }
    if (!outside) sum += weight * static_cast<double>(values[index]);
  }
  return sum;
}

/// Points along one axis of the voxels of one grid, as many per voxel as miss no voxel of another.
class PointsOfVoxels {
 public:
  /// `from_low` and `from_high` bound what the other grid's voxels reach.
  PointsOfVoxels(double origin_mm, double spacing_mm, double from_spacing_mm, double from_low_mm, double from_high_mm)
      : origin_mm_(origin_mm),
        spacing_mm_(spacing_mm),
        per_voxel_(std::max(1.0, std::ceil(spacing_mm / from_spacing_mm))),
        low_mm_(from_low_mm),
        high_mm_(from_high_mm) {}

  double per_voxel() const { return per_voxel_; }
  double position_mm(double voxel, double point) const {
    return origin_mm_ + (voxel + (point + 0.5) / per_voxel_) * spacing_mm_;
  }
  /// First and last point of a voxel that can meet the other grid: beyond, all is 0. So the work is of the order of
  /// both grids' voxels, however much finer one is.
  std::pair<double, double> within(double voxel) const {
    const auto point = [&](double mm) { return ((mm - origin_mm_) / spacing_mm_ - voxel) * per_voxel_; };
    return {std::max(0.0, std::floor(point(low_mm_)) - 1), std::min(per_voxel_ - 1, std::ceil(point(high_mm_)) + 1)};
  }

 private:
  double origin_mm_, spacing_mm_, per_voxel_, low_mm_, high_mm_;
};

/// Means of a volume over the voxels of another grid, from enough points per voxel to miss no source voxel.
std::vector<float> resampled(Context& ctx, const std::vector<float>& values, const VolumeGrid& from,
                             const VolumeGrid& to) {
  const Vec3d low = from.origin_mm - from.spacing_mm, high = from.origin_mm + from.extent_mm() + from.spacing_mm;
  const PointsOfVoxels px(to.origin_mm.x, to.spacing_mm.x, from.spacing_mm.x, low.x, high.x);
  const PointsOfVoxels py(to.origin_mm.y, to.spacing_mm.y, from.spacing_mm.y, low.y, high.y);
  const PointsOfVoxels pz(to.origin_mm.z, to.spacing_mm.z, from.spacing_mm.z, low.z, high.z);
  std::vector<float> result = host_vector<float>(to.num_voxels());
  const auto width = static_cast<std::size_t>(to.size_x);
  parallel_for(ctx, result.size() / width, [&](std::size_t row) {
    ctx.throw_if_stopped("simulation");
    const std::size_t slice = row / static_cast<std::size_t>(to.size_y);
    const auto y = static_cast<double>(row % static_cast<std::size_t>(to.size_y)), z = static_cast<double>(slice);
    const auto [first_y, last_y] = py.within(y);
    const auto [first_z, last_z] = pz.within(z);
    for (std::size_t column = 0; column < width; ++column) {
      const auto x = static_cast<double>(column);
      const auto [first_x, last_x] = px.within(x);
      double sum = 0;
      for (double k = first_z; k <= last_z; ++k)
        for (double j = first_y; j <= last_y; ++j)
          for (double i = first_x; i <= last_x; ++i)
            sum += interpolate(values, from, {px.position_mm(x, i), py.position_mm(y, j), pz.position_mm(z, k)});
      result[row * width + column] = static_cast<float>(sum / (px.per_voxel() * py.per_voxel() * pz.per_voxel()));
    }
  });
  return result;
}

void check_volume(const Volume& volume) {
  require_field(volume.frames == 1, "volume.frames", "1", volume.frames);
  require_size("volume", "values", volume.grid.num_voxels(), volume.values.size());
  require_grid("volume", volume.grid);
}

}  // namespace

Volume stand_volume_up(const Volume& volume) try {
  check_volume(volume);
  const VolumeGrid& from = volume.grid;
  Volume turned;
  turned.grid = {from.size_x,
                 from.size_z,
                 from.size_y,
                 {from.spacing_mm.x, from.spacing_mm.z, from.spacing_mm.y},
                 {from.origin_mm.x, -(from.origin_mm.z + from.extent_mm().z), from.origin_mm.y}};
  turned.values = host_vector<float>(volume.values.size());
  auto next = turned.values.begin();
  const auto width = static_cast<std::ptrdiff_t>(from.size_x);
  for (int z = 0; z < from.size_y; ++z)
    for (int y = 0; y < from.size_z; ++y) {
      const auto row =
          volume.values.begin() + (static_cast<std::ptrdiff_t>(from.size_z - 1 - y) * from.size_y + z) * width;
      next = std::copy(row, row + width, next);
    }
  return turned;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

Simulation simulate_volume(Context& ctx, const Volume& volume, double threshold, const ContrastOptions& contrast,
                           const SimulationOptions& options) try {
  check_simulation_options(options);
  check_volume(volume);
  require_field(std::isfinite(threshold) && threshold >= 0, "threshold", "0 or more", threshold);
  for (std::size_t i = 0; i < volume.values.size(); ++i)
    if (!std::isfinite(volume.values[i]))
      require_field(false, "volume.values[" + std::to_string(i) + "]", "a finite number", volume.values[i]);

  // What finding the paths through the vessels asks for, if all were vessel.
  const VesselVolume vessels =
      with_host_memory(volume.values.size() * 64, [&] { return VesselVolume(volume, threshold, contrast); });
  const auto integrals = [&](const Pose& pose, const Detector& rays) {
    const auto attenuation = Buffer<float>::from_host(ctx, vessels.attenuation({pose.time_s}));
    Buffer<float> image(ctx, rays.num_pixels());
    raycast(ctx, {attenuation, vessels.grid(), pose, rays}, image);
    return image.to_host(ctx);
  };
  Simulation simulation = acquire_sweep(ctx, options, integrals, "simulated volume");
  if (options.reference_volume)
    simulation.acquisition.reference_volume =
        ReferenceVolume{resampled(ctx, vessels.attenuation(frame_times_s(simulation.acquisition.poses)), vessels.grid(),
                                  options.volume),
                        {}};
  return simulation;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
