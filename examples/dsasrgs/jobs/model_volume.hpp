// SPDX-License-Identifier: Apache-2.0
#pragma once
// A model as a volume: which voxels, which moment.

#include <CLI/CLI.hpp>
#include <optional>

#include "dsasrgs/renderer.hpp"
#include "dsasrgs/uncertainty.hpp"
#include "dsasrgs/volume_files.hpp"

namespace dsasrgs::program {

struct VolumeOptions {
  std::optional<double> time_s, spacing_mm;
  bool mean = false;
  int frames = 0;  ///< of the sweep; 0: one volume, at time_s or the mean
};

/// Adds --time, --mean and --spacing-mm, and, where it is asked for, --frames.
void add_volume_options(CLI::App& subcommand, VolumeOptions&, bool with_frames);

/// Throws UsageError for what no model can satisfy; to be called before one is read.
void check_volume_options(const VolumeOptions&);

struct ModelVolume {
  Volume volume;
  VolumeTimes times;
};
/// The volume that is asked for, or with an Uncertainty of the model its standard deviation, with a bar while frames
/// are made, unless quiet. Throws UsageError where model and options do not fit, Interrupted.
ModelVolume volume_of(Context&, const Model&, const VolumeOptions&, bool quiet, Uncertainty* = nullptr);

}  // namespace dsasrgs::program
