// SPDX-License-Identifier: Apache-2.0
// dsasrgs export surface: the vessels' walls as triangles.

#include "dsasrgs/surface.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "cli/interruption.hpp"
#include "cli/machine_options.hpp"
#include "cli/output_path.hpp"
#include "cli/progress.hpp"
#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"
#include "dsasrgs/error.hpp"
#include "export/export_kinds.hpp"
#include "jobs/model_volume.hpp"

namespace dsasrgs::program {

namespace {

constexpr double kFraction = 0.2;  // as evaluate has it

struct SurfaceOptions {
  std::string model, output;
  std::optional<double> threshold_per_mm;
  VolumeOptions volume;
  bool force = false;
  MachineOptions machine;
};

void run(const SurfaceOptions& options) {
  const Interruption interruption;
  const bool quiet = options.machine.quiet;
  if (!surface_format(options.output))
    throw UsageError(std::string("output: expected a file named ") + kSurfaceNames + ", found " + options.output);
  check_volume_options(options.volume);
  require_writable_file("output", options.output, {options.model});
  require_replaceable("output", options.output, options.force);
  Context ctx = make_context(options.machine);
  show_log(ctx, options.machine);
  const Model model = read_model(ctx, options.model);
  const Volume volume = volume_of(ctx, model, options.volume, quiet).volume;
  const auto largest = static_cast<double>(*std::max_element(volume.values.begin(), volume.values.end()));
  if (!(largest > 0))
    throw BadInput(options.model, "attenuation", "a model with something in it", "none above 0 in the volume");
  const double threshold = options.threshold_per_mm.value_or(kFraction * largest);
  const Surface surface = extract_surface(volume, threshold);
  if (surface.triangles.empty())
    throw UsageError("--threshold-per-mm: expected less than the largest attenuation, " + number_text(largest) +
                     " 1/mm, found " + number_text(threshold));
  write_surface(options.output, surface);
  print_line(quiet, "wrote " + count_text(surface.triangles.size(), "triangle") + " at " + number_text(threshold) +
                        " 1/mm to " + options.output);
}

}  // namespace

void add_export_surface(CLI::App& parent) {
  auto options = std::make_shared<SurfaceOptions>();
  CLI::App* sub = parent.add_subcommand("surface", "the vessels' surface as triangles in mm, LPS");
  sub->add_option("model", options->model, "model file (MODEL.h5)")->required()->check(existing_file());
  sub->add_option("output", options->output, "surface to write (.stl, .ply or .obj)")->required();
  sub->add_option("--threshold-per-mm", options->threshold_per_mm,
                  "attenuation at the surface; default: a fifth of the volume's maximum")
      ->check(positive_finite());
  add_volume_options(*sub, options->volume, false);
  sub->add_flag("--force", options->force, kForceDescription);
  add_machine_options(*sub, options->machine);
  sub->callback([options] { run(*options); });
}

}  // namespace dsasrgs::program
