// dsasrgs voxelize: a model as a NIfTI volume.

#include <cmath>
#include <memory>
#include <optional>
#include <string>

#include "cli/interruption.hpp"
#include "cli/machine_options.hpp"
#include "cli/output_path.hpp"
#include "cli/progress.hpp"
#include "cli/sweep_time.hpp"
#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/renderer.hpp"
#include "subcommands.hpp"

namespace dsasrgs::program {

namespace {

constexpr int kMeanMoments = 64;
constexpr double kMaxNiftiSide = 32767;  // NIfTI-1 stores sizes in 16 bits

struct VoxelizeOptions {
  std::string model, output;
  std::optional<double> time_s, spacing_mm;
  bool mean = false;
  int frames = 0;
  MachineOptions machine;
};

/// The same box in cubic voxels; sizes are rounded up and the box grows about its centre.
VolumeGrid resampled(const VolumeGrid& grid, double spacing_mm) {
  if (!(spacing_mm > 0) || !std::isfinite(spacing_mm))
    throw UsageError("--spacing-mm: expected a positive length, found " + number_text(spacing_mm));
  const Vec3d extent = grid.extent_mm();
  const auto size = [&](double side_mm) {
    const double voxels = std::ceil(side_mm / spacing_mm - 1e-6);
    if (voxels > kMaxNiftiSide)
      throw UsageError("--spacing-mm: expected at most 32767 voxels along a side of " + number_text(side_mm) +
                       " mm, found a spacing of " + number_text(spacing_mm));
    return std::max(1, static_cast<int>(voxels));
  };
  VolumeGrid fine{size(extent.x), size(extent.y), size(extent.z), {spacing_mm, spacing_mm, spacing_mm}, {}};
  fine.origin_mm = grid.center_mm() - fine.extent_mm() * 0.5;
  return fine;
}

void run(const VoxelizeOptions& options) {
  const Interruption interruption;
  const bool quiet = options.machine.quiet;
  if (!options.output.ends_with(".nii") && !options.output.ends_with(".nii.gz"))
    throw UsageError("--output: expected a file named .nii or .nii.gz, found " + options.output);
  if (options.time_s && !std::isfinite(*options.time_s))
    throw UsageError("--time: expected a finite time in s, found " + number_text(*options.time_s));
  require_writable_file("--output", options.output, {options.model});
  Context ctx = make_context(options.machine);
  show_log(ctx, options.machine);
  const Model model = read_model(ctx, options.model);
  if (options.frames > 1 && model.time.first_s == model.time.last_s)
    throw UsageError("--frames: expected 1 for a model of one moment, found " + std::to_string(options.frames));
  if (options.time_s) warn_outside_sweep(model, {*options.time_s}, quiet);
  Volume volume;
  volume.grid = options.spacing_mm ? resampled(model.volume, *options.spacing_mm) : model.volume;
  Renderer renderer(ctx, model);
  double frame_spacing_s = 1;
  if (options.frames > 0) {
    const double sweep_s = model.time.last_s - model.time.first_s;
    frame_spacing_s = options.frames > 1 ? sweep_s / (options.frames - 1) : 1;
    volume.frames = options.frames;
    volume.values.reserve(volume.grid.num_voxels() * static_cast<std::size_t>(options.frames));
    Progress progress("voxelizing", "frames", options.frames, quiet);
    for (int f = 0; f < options.frames; ++f) {
      Interruption::check();
      const std::vector<float> frame = renderer.voxelize(volume.grid, model.time.first_s + f * frame_spacing_s).values;
      volume.values.insert(volume.values.end(), frame.begin(), frame.end());
      progress.update(f + 1);
    }
  } else {
    volume.values = options.time_s ? renderer.voxelize(volume.grid, *options.time_s).values
                                   : renderer.voxelize_mean(volume.grid, kMeanMoments).values;
  }
  write_nifti(options.output, volume, frame_spacing_s, options.time_s.value_or(model.time.first_s));
  print_line(quiet, "wrote " + options.output);
}

}  // namespace

void add_voxelize(CLI::App& app) {
  auto options = std::make_shared<VoxelizeOptions>();
  CLI::App* sub = app.add_subcommand("voxelize", "write a model as a NIfTI volume of attenuation in 1/mm");
  sub->add_option("model", options->model, "model file (MODEL.h5)")->required()->check(existing_file());
  sub->add_option("--output", options->output, "volume to write (.nii or .nii.gz)")->required();
  CLI::Option* time = sub->add_option("--time", options->time_s, "the volume at this time, s");
  CLI::Option* mean = sub->add_flag("--mean", options->mean, "the mean over the sweep (default)");
  CLI::Option* frames = sub->add_option("--frames", options->frames, "a 4D volume of this many moments over the sweep")
                            ->check(CLI::Range(1, 32767));
  time->excludes(mean)->excludes(frames);
  mean->excludes(frames);
  sub->add_option("--spacing-mm", options->spacing_mm, "cubic voxels of this size instead of the case's grid");
  add_machine_options(*sub, options->machine);
  sub->callback([options] { run(*options); });
}

}  // namespace dsasrgs::program
