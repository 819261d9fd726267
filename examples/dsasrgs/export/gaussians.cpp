// SPDX-License-Identifier: Apache-2.0
// dsasrgs export gaussians: a model's Gaussians as a PLY file.

#include <cmath>
#include <memory>
#include <optional>
#include <string>

#include "cli/file_kind.hpp"
#include "cli/machine_options.hpp"
#include "cli/output_path.hpp"
#include "cli/progress.hpp"
#include "cli/sweep_time.hpp"
#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"
#include "dsasrgs/gaussian_files.hpp"
#include "export/export_kinds.hpp"

namespace dsasrgs::program {

namespace {

struct GaussianOptions {
  std::string model, output;
  bool viewer = false, force = false;
  std::optional<double> time_s;
  MachineOptions machine;
};

void run(const GaussianOptions& options) {
  const bool quiet = options.machine.quiet;
  if (!is_named(options.output, ".ply"))
    throw UsageError("output: expected a file named .ply, found " + options.output);
  if (options.time_s && !std::isfinite(*options.time_s))
    throw UsageError("--time: expected a finite time in s, found " + number_text(*options.time_s));
  require_writable_file("output", options.output, {options.model});
  require_replaceable("output", options.output, options.force);
  Context ctx = make_context(options.machine);
  show_log(ctx, options.machine);
  const Model model = read_model(ctx, options.model);
  if (options.viewer) {
    const double middle = 0.5 * (model.time.first_s + model.time.last_s), time = options.time_s.value_or(middle);
    warn_outside_sweep(model, {time}, quiet);
    write_viewer_ply(ctx, options.output, model, time);
    if (model.pixel_footprint)
      print_line(quiet,
                 "the model was trained with the detector pixels' footprint, which viewers do not add: thin vessels "
                 "look thinner");
  } else {
    write_gaussian_ply(ctx, options.output, model);
  }
  print_line(quiet, "wrote " + count_text(model.cloud.size(), "Gaussian") + " to " + options.output);
}

}  // namespace

void add_export_gaussians(CLI::App& parent) {
  auto options = std::make_shared<GaussianOptions>();
  CLI::App* sub = parent.add_subcommand("gaussians", "all of a model as a PLY file (import gaussians reads it back)");
  sub->add_option("model", options->model, "model file (MODEL.h5)")->required()->check(existing_file());
  sub->add_option("output", options->output, "PLY file to write")->required();
  CLI::Option* viewer = sub->add_flag("--viewer-ply", options->viewer,
                                      "instead, one moment as splat viewers draw it: to look at, not to measure");
  sub->add_option("--time", options->time_s, "that moment, s; default: the middle of the sweep")->needs(viewer);
  sub->add_flag("--force", options->force, kForceDescription);
  add_machine_options(*sub, options->machine);
  sub->callback([options] { run(*options); });
}

}  // namespace dsasrgs::program
