// SPDX-License-Identifier: Apache-2.0
// dsasrgs voxelize: a model as a volume for viewers and toolkits.

#include <memory>
#include <string>

#include "cli/interruption.hpp"
#include "cli/machine_options.hpp"
#include "cli/output_path.hpp"
#include "cli/progress.hpp"
#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"
#include "jobs/model_volume.hpp"
#include "subcommands.hpp"

namespace dsasrgs::program {

namespace {

struct VoxelizeOptions {
  std::string model, output;
  VolumeOptions volume;
  bool force = false;
  MachineOptions machine;
};

void run(const VoxelizeOptions& options) {
  const Interruption interruption;
  const bool quiet = options.machine.quiet;
  if (!volume_format(options.output))
    throw UsageError(std::string("--output: expected a file named ") + kVolumeNames + ", found " + options.output);
  check_volume_options(options.volume);
  require_writable_file("--output", options.output, {options.model});
  require_replaceable("--output", options.output, options.force);
  Context ctx = make_context(options.machine);
  show_log(ctx, options.machine);
  const Model model = read_model(ctx, options.model);
  const ModelVolume made = volume_of(ctx, model, options.volume, quiet);
  write_volume(options.output, made.volume, made.times);
  print_line(quiet, "wrote " + options.output);
}

}  // namespace

void add_voxelize(CLI::App& app) {
  auto options = std::make_shared<VoxelizeOptions>();
  CLI::App* sub = app.add_subcommand("voxelize", "write a model as a volume of attenuation in 1/mm");
  sub->add_option("model", options->model, "model file (MODEL.h5)")->required()->check(existing_file());
  sub->add_option("--output", options->output,
                  "volume to write: .nii or .nii.gz (NIfTI), .nrrd or .seq.nrrd (3D Slicer), .mha (ITK), .dcm (DICOM)")
      ->required();
  add_volume_options(*sub, options->volume, true);
  sub->add_flag("--force", options->force, kForceDescription);
  add_machine_options(*sub, options->machine);
  sub->callback([options] { run(*options); });
}

}  // namespace dsasrgs::program
