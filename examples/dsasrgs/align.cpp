// SPDX-License-Identifier: Apache-2.0
// dsasrgs align: moves the masks of an acquisition onto its images, so that a head that moved leaves no bone in them.

#include <memory>
#include <string>

#include "cli/interruption.hpp"
#include "cli/machine_options.hpp"
#include "cli/output_path.hpp"
#include "cli/value_checks.hpp"
#include "cli/view_list.hpp"
#include "dsasrgs/io.hpp"
#include "jobs/moved_masks.hpp"
#include "subcommands.hpp"

namespace dsasrgs::program {

namespace {

struct AlignOptions {
  std::string case_file, output, views = "all";
  bool force = false;
  MaskAlignmentOptions alignment;
  MachineOptions machine;
};

void run(const AlignOptions& options) {
  const Interruption interruption;
  require_writable_file("--output", options.output, {options.case_file});
  require_replaceable("--output", options.output, "dsasrgs.acquisition", options.force);
  Context ctx = make_context(options.machine);
  MaskedAcquisition masked = read_masked_acquisition(options.case_file);
  Acquisition& a = masked.acquisition;
  const BesideProjections beside =
      move_masks(ctx, masked, select_views(a, options.views).views, options.alignment, options.machine.quiet);
  a.name = options.output;
  write_acquisition(options.output, a, nullptr, beside);
}

}  // namespace

void add_align(CLI::App& app) {
  auto options = std::make_shared<AlignOptions>();
  CLI::App* sub = app.add_subcommand(
      "align", "move the masks of an acquisition of intensities onto its images: a head that moved leaves less bone");
  sub->add_option("case", options->case_file, "acquisition file with masks (CASE.h5)")
      ->required()
      ->check(existing_file());
  sub->add_option("--output", options->output, "acquisition file to write (ALIGNED.h5), of line integrals")->required();
  sub->add_option("--views", options->views, "train, test, all or a list such as 0,5,10-20; others stay as they are")
      ->capture_default_str();
  add_alignment_options(*sub, options->alignment);
  sub->add_flag("--force", options->force, kForceDescription);
  add_machine_options(*sub, options->machine);
  sub->callback([options] { run(*options); });
}

}  // namespace dsasrgs::program
