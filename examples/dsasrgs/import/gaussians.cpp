// SPDX-License-Identifier: Apache-2.0
// dsasrgs import gaussians: a model of the PLY file that `export gaussians` wrote.

#include <filesystem>
#include <memory>
#include <string>

#include "cli/machine_options.hpp"
#include "cli/output_path.hpp"
#include "cli/progress.hpp"
#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"
#include "dsasrgs/gaussian_files.hpp"
#include "import/import_kinds.hpp"

namespace dsasrgs::program {

namespace {

struct GaussianArguments {
  std::string ply, output;
  bool force = false;
  MachineOptions machine;
};

void run(const GaussianArguments& a) {
  require_writable_file("output", a.output, {a.ply});
  require_replaceable("output", a.output, "dsasrgs.model", a.force);
  Context ctx = make_context(a.machine);
  show_log(ctx, a.machine);
  const Model model = read_gaussian_ply(ctx, a.ply);
  write_model(ctx, a.output, model);
  print_line(a.machine.quiet, "wrote " + count_text(model.cloud.size(), "Gaussian") + " to " + a.output);
}

}  // namespace

void add_import_gaussians(CLI::App& import) {
  auto arguments = std::make_shared<GaussianArguments>();
  GaussianArguments& a = *arguments;
  CLI::App* sub =
      import.add_subcommand("gaussians", "a model (not a case) of the PLY file that export gaussians wrote");
  sub->add_option("ply", a.ply, "PLY file")->required()->check(existing_file());
  sub->add_option("output", a.output, "model file to write (MODEL.h5)")->required();
  sub->add_flag("--force", a.force, kForceDescription);
  add_machine_options(*sub, a.machine);
  sub->callback([arguments] { run(*arguments); });
}

}  // namespace dsasrgs::program
