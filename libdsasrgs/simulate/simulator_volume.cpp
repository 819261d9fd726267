// Simulation of a sweep over the vessels of a volume.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "common/parallel.hpp"
#include "common/require.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/simulator.hpp"
#include "raycast/raycast.hpp"
#include "simulate/simulated_sweep.hpp"
#include "simulate/vessel_paths.hpp"

namespace dsasrgs {

namespace {

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
    require(!paths.voxel.empty(), "simulate_volume",
            "threshold: expected a value that some voxel exceeds, found " + std::to_string(threshold));
    crop(paths.voxel);
    double longest = 0;
    for (const double path : paths.path_length_mm) longest = std::max(longest, path);
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

/// Means of a volume over the voxels of another grid, from enough points per voxel to miss no source voxel.
std::vector<float> resampled(Context& ctx, const std::vector<float>& values, const VolumeGrid& from,
                             const VolumeGrid& to) {
  const auto points = [](double to_mm, double from_mm) {
    return std::max(1, static_cast<int>(std::ceil(to_mm / from_mm)));
  };
  const int nx = points(to.spacing_mm.x, from.spacing_mm.x), ny = points(to.spacing_mm.y, from.spacing_mm.y);
  const int nz = points(to.spacing_mm.z, from.spacing_mm.z);
  std::vector<float> result = host_vector<float>(to.num_voxels());
  const auto width = static_cast<std::size_t>(to.size_x);
  parallel_for(ctx, result.size() / width, [&](std::size_t row) {
    const std::size_t row_y = row % static_cast<std::size_t>(to.size_y),
                      row_z = row / static_cast<std::size_t>(to.size_y);
    const auto y = static_cast<double>(row_y), z = static_cast<double>(row_z);
    for (std::size_t x = 0; x < width; ++x) {
      double sum = 0;
      for (int k = 0; k < nz; ++k)
        for (int j = 0; j < ny; ++j)
          for (int i = 0; i < nx; ++i)
            sum += interpolate(
                values, from,
                to.origin_mm + Vec3d{(static_cast<double>(x) + (i + 0.5) / nx) * to.spacing_mm.x,
                                     (y + (j + 0.5) / ny) * to.spacing_mm.y, (z + (k + 0.5) / nz) * to.spacing_mm.z});
      result[row * width + x] = static_cast<float>(sum / (static_cast<double>(nx) * ny * nz));
    }
  });
  return result;
}

void check_volume(const Volume& volume, const char* op) {
  require(volume.frames == 1, op, "volume.frames: expected 1, found " + std::to_string(volume.frames));
  require_size(op, "volume.values", volume.grid.num_voxels(), volume.values.size());
  require(volume.grid.spacing_mm.x > 0 && volume.grid.spacing_mm.y > 0 && volume.grid.spacing_mm.z > 0, op,
          "volume.grid: expected positive spacings");
}

}  // namespace

Volume stand_volume_up(const Volume& volume) {
  check_volume(volume, "stand_volume_up");
  const VolumeGrid& from = volume.grid;
  Volume turned;
  turned.grid = {from.size_x,
                 from.size_z,
                 from.size_y,
                 {from.spacing_mm.x, from.spacing_mm.z, from.spacing_mm.y},
                 {from.origin_mm.x, -(from.origin_mm.z + from.extent_mm().z), from.origin_mm.y}};
  turned.values.reserve(volume.values.size());
  const auto width = static_cast<std::ptrdiff_t>(from.size_x);
  for (int z = 0; z < from.size_y; ++z)
    for (int y = 0; y < from.size_z; ++y) {
      const auto row =
          volume.values.begin() + (static_cast<std::ptrdiff_t>(from.size_z - 1 - y) * from.size_y + z) * width;
      turned.values.insert(turned.values.end(), row, row + width);
    }
  return turned;
}

Simulation simulate_volume(Context& ctx, const Volume& volume, double threshold, const ContrastOptions& contrast,
                           const SimulationOptions& options) {
  constexpr const char* kOp = "simulate_volume";
  check_simulation_options(options);
  check_volume(volume, kOp);
  require(std::isfinite(threshold) && threshold >= 0, kOp,
          "threshold: expected 0 or more, found " + std::to_string(threshold));
  for (std::size_t i = 0; i < volume.values.size(); ++i)
    if (!std::isfinite(volume.values[i]))
      throw InvalidArgument(std::string(kOp) + ": volume.values[" + std::to_string(i) +
                            "]: expected a finite number, found " + std::to_string(volume.values[i]));

  const VesselVolume vessels(volume, threshold, contrast);
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
}

}  // namespace dsasrgs
