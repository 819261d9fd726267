// SPDX-License-Identifier: Apache-2.0
// dsasrgs voxelize: a model as a volume for viewers and toolkits.

#include <memory>
#include <optional>
#include <string>

#include "cli/interruption.hpp"
#include "cli/machine_options.hpp"
#include "cli/output_path.hpp"
#include "cli/progress.hpp"
#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"
#include "dsasrgs/io.hpp"
#include "jobs/model_volume.hpp"
#include "jobs/uncertainty_file.hpp"
#include "subcommands.hpp"

namespace dsasrgs::program {

namespace {

struct VoxelizeOptions {
  std::string model, output, case_file;
  VolumeOptions volume;
  bool uncertainty = false, force = false;
  MachineOptions machine;
};

void run(const VoxelizeOptions& options) {
  const Interruption interruption;
  const bool quiet = options.machine.quiet;
  if (!volume_format(options.output))
    throw UsageError(std::string("--output: expected a file named ") + kVolumeNames + ", found " + options.output);
  check_volume_options(options.volume);
  const std::string deviation = options.uncertainty ? uncertainty_name(options.output) : "";
  for (const std::string& output : {std::string(options.output), deviation}) {
    if (output.empty()) continue;
    require_writable_file("--output", output, {options.model, options.case_file});
    require_replaceable("--output", output, options.force);
  }
  Context ctx = make_context(options.machine);
  show_log(ctx, options.machine);
  const Model model = read_model(ctx, options.model);
  std::optional<Uncertainty> uncertainty;
  if (options.uncertainty)
    uncertainty.emplace(ctx, model, read_acquisition(options.case_file), UncertaintyOptions{}, shown_progress(quiet));
  const ModelVolume made = volume_of(ctx, model, options.volume, quiet);
  if (uncertainty) {
    const ModelVolume deviations = volume_of(ctx, model, options.volume, quiet, &*uncertainty);
    write_volume(deviation, deviations.volume, deviations.times);
  }
  write_volume(options.output, made.volume, made.times);
  print_line(quiet, "wrote " + options.output + (uncertainty ? " and " + deviation : ""));
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
  CLI::Option* case_option =
      sub->add_option("--case", options->case_file, "acquisition that the model was trained on, for --uncertainty")
          ->check(existing_file());
  CLI::Option* uncertainty =
      sub->add_flag("--uncertainty", options->uncertainty,
                    "also write standard deviations in 1/mm, beside the output as NAME_uncertainty");
  case_option->needs(uncertainty);
  uncertainty->needs(case_option);
  sub->add_flag("--force", options->force, kForceDescription);
  add_machine_options(*sub, options->machine);
  sub->callback([options] { run(*options); });
}

}  // namespace dsasrgs::program
