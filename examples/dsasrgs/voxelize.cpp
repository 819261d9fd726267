// SPDX-License-Identifier: Apache-2.0
// dsasrgs voxelize: a model as a volume for viewers and toolkits.

#include <memory>
#include <numbers>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/file_kind.hpp"
#include "cli/interruption.hpp"
#include "cli/machine_options.hpp"
#include "cli/output_path.hpp"
#include "cli/progress.hpp"
#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"
#include "cli/view_list.hpp"
#include "dsasrgs/io.hpp"
#include "jobs/model_volume.hpp"
#include "jobs/name_beside.hpp"
#include "subcommands.hpp"

namespace dsasrgs::program {

namespace {

constexpr const char* kViews = "_views";
constexpr const char* kSpread = "_spread";

struct VoxelizeOptions {
  std::string model, output, case_file;
  VolumeOptions volume;
  bool uncertainty = false, support = false, force = false;
  MachineOptions machine;
};

/// Views that saw each voxel, and their spread in degrees.
void write_support(const Context& ctx, const VoxelizeOptions& options, const Acquisition& acquisition,
                   const std::vector<Pose>& poses, const VolumeGrid& grid, const VolumeTimes& times) {
  const SupportMap map =
      support_map(ctx, acquisition, poses, acquisition.training_views(), grid, shown_progress(options.machine.quiet));
  const VolumeTimes one{1, times.first_time_s, {}};
  write_volume(name_beside(options.output, kViews), {grid, {map.views.begin(), map.views.end()}, 1}, one);
  std::vector<float> degrees = map.spread_rad;
  for (float& angle : degrees) angle *= static_cast<float>(180 / std::numbers::pi);
  write_volume(name_beside(options.output, kSpread), {grid, std::move(degrees), 1}, one);
}

void run(const VoxelizeOptions& options) {
  const Interruption interruption;
  const bool quiet = options.machine.quiet;
  if (!volume_format(options.output))
    throw UsageError(std::string("--output: expected a file named ") + kVolumeNames + ", found " + options.output);
  check_volume_options(options.volume);
  if (!options.case_file.empty() && !options.uncertainty && !options.support)
    throw UsageError("--case: expected --uncertainty or --support with it, found neither");
  if (options.support && !is_named(options.output, ".nii") && !is_named(options.output, ".nii.gz"))
    throw UsageError("--support: expected --output FILE.nii or FILE.nii.gz with it, found " + options.output);
  std::vector<std::string> outputs{options.output};
  if (options.uncertainty) outputs.push_back(uncertainty_name(options.output));
  if (options.support)
    for (const char* added : {kViews, kSpread}) outputs.push_back(name_beside(options.output, added));
  for (const std::string& output : outputs) {
    require_writable_file("--output", output, {options.model, options.case_file});
    require_replaceable("--output", output, options.force);
  }
  Context ctx = make_context(options.machine);
  show_log(ctx, options.machine);
  const Model model = read_model(ctx, options.model);
  Acquisition acquisition;
  std::optional<Uncertainty> uncertainty;
  if (!options.case_file.empty()) {
    acquisition = read_acquisition(options.case_file);
    use_split_or_warn(acquisition, model);
  }
  if (options.uncertainty) uncertainty.emplace(ctx, model, acquisition, UncertaintyOptions{}, shown_progress(quiet));
  const ModelVolume made = volume_of(ctx, model, options.volume, quiet);
  if (uncertainty) {
    const ModelVolume deviations = volume_of(ctx, model, options.volume, quiet, &*uncertainty);
    write_volume(uncertainty_name(options.output), deviations.volume, deviations.times);
  }
  if (options.support)
    write_support(ctx, options, acquisition, poses_as_corrected(model, acquisition), made.volume.grid, made.times);
  write_volume(options.output, made.volume, made.times);
  for (const std::string& output : outputs) print_line(quiet, "wrote " + output);
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
      sub->add_option("--case", options->case_file, "acquisition that the model was trained on, for what follows")
          ->check(existing_file());
  sub->add_flag("--uncertainty", options->uncertainty,
                "also write standard deviations in 1/mm, beside the output as NAME_uncertainty")
      ->needs(case_option);
  sub->add_flag("--support", options->support,
                "also write how many training views saw each voxel, NAME_views, and over how many degrees they are "
                "spread, NAME_spread (.nii, .nii.gz)")
      ->needs(case_option);
  sub->add_flag("--force", options->force, kForceDescription);
  add_machine_options(*sub, options->machine);
  sub->callback([options] { run(*options); });
}

}  // namespace dsasrgs::program
