// SPDX-License-Identifier: Apache-2.0
#include "jobs/model_volume.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "cli/interruption.hpp"
#include "cli/progress.hpp"
#include "cli/sweep_time.hpp"
#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "dsasrgs/io.hpp"

namespace dsasrgs::program {

namespace {

constexpr int kMeanMoments = 64;

/// The same box in cubic voxels; sizes are rounded up and the box grows about its centre.
VolumeGrid resampled(const VolumeGrid& grid, double spacing_mm) {
  const Vec3d extent = grid.extent_mm();
  const auto size = [&](double side_mm) {
    const double voxels = std::ceil(side_mm / spacing_mm - 1e-6);
    if (voxels > kMostNiftiSide)
      throw UsageError("--spacing-mm: expected at most " + std::to_string(kMostNiftiSide) + " voxels along a side of " +
                       number_text(side_mm) + " mm, found a spacing of " + number_text(spacing_mm));
    return std::max(1, static_cast<int>(voxels));
  };
  VolumeGrid fine{size(extent.x), size(extent.y), size(extent.z), {spacing_mm, spacing_mm, spacing_mm}, {}};
  fine.origin_mm = grid.center_mm() - fine.extent_mm() * 0.5;
  return fine;
}

}  // namespace

void add_volume_options(CLI::App& sub, VolumeOptions& options, bool with_frames) {
  CLI::Option* time = sub.add_option("--time", options.time_s, "the volume at this time, s");
  CLI::Option* mean = sub.add_flag("--mean", options.mean, "the mean over the sweep (default)");
  time->excludes(mean);
  if (with_frames) {
    CLI::Option* frames = sub.add_option("--frames", options.frames, "a 4D volume of this many moments over the sweep")
                              ->check(CLI::Range(1, kMostNiftiSide));
    time->excludes(frames);
    mean->excludes(frames);
  }
  sub.add_option("--spacing-mm", options.spacing_mm, "cubic voxels of this size instead of the case's grid");
}

void check_volume_options(const VolumeOptions& options) {
  if (options.time_s && !std::isfinite(*options.time_s))
    throw UsageError("--time: expected a finite time in s, found " + number_text(*options.time_s));
  if (options.spacing_mm && (!(*options.spacing_mm > 0) || !std::isfinite(*options.spacing_mm)))
    throw UsageError("--spacing-mm: expected a positive length, found " + number_text(*options.spacing_mm));
}

ModelVolume volume_of(Context& ctx, const Model& model, const VolumeOptions& options, bool quiet,
                      Uncertainty* uncertainty) {
  if (options.frames > 1 && model.time.first_s == model.time.last_s)
    throw UsageError("--frames: expected 1 for a model of one moment, found " + std::to_string(options.frames));
  if (options.time_s && uncertainty == nullptr) warn_outside_sweep(model, {*options.time_s}, quiet);
  ModelVolume made{{}, {1, within_sweep(model, options.time_s.value_or(model.time.first_s)), {}}};
  Volume& volume = made.volume;
  volume.grid = options.spacing_mm ? resampled(model.volume, *options.spacing_mm) : model.volume;
  Renderer renderer(ctx, model);
  const auto at = [&](double time_s) {
    return uncertainty != nullptr ? uncertainty->voxelize(volume.grid, time_s).values
                                  : renderer.voxelize(volume.grid, time_s).values;
  };
  const auto mean = [&] {
    return uncertainty != nullptr ? uncertainty->voxelize_mean(volume.grid).values
                                  : renderer.voxelize_mean(volume.grid, kMeanMoments).values;
  };
  if (options.frames == 0) {
    if (!options.time_s && model.time.last_s > model.time.first_s) made.times.mean_until_s = model.time.last_s;
    volume.values = options.time_s ? at(*options.time_s) : mean();
    return made;
  }
  if (options.frames > 1) made.times.frame_spacing_s = (model.time.last_s - model.time.first_s) / (options.frames - 1);
  volume.frames = options.frames;
  volume.values.reserve(volume.grid.num_voxels() * static_cast<std::size_t>(options.frames));
  Progress progress(uncertainty != nullptr ? "voxelizing uncertainty" : "voxelizing", "frames", options.frames, quiet);
  for (int f = 0; f < options.frames; ++f) {
    Interruption::check();
    const std::vector<float> frame = at(model.time.first_s + f * made.times.frame_spacing_s);
    volume.values.insert(volume.values.end(), frame.begin(), frame.end());
    progress.update(f + 1);
  }
  return made;
}

}  // namespace dsasrgs::program
