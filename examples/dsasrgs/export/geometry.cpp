// SPDX-License-Identifier: Apache-2.0
// dsasrgs export geometry: a case's poses, and projections, for the Reconstruction Toolkit.

#include <memory>
#include <string>

#include "cli/file_kind.hpp"
#include "cli/output_path.hpp"
#include "cli/progress.hpp"
#include "cli/terminal_text.hpp"
#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"
#include "dsasrgs/geometry_files.hpp"
#include "dsasrgs/io.hpp"
#include "export/export_kinds.hpp"

namespace dsasrgs::program {

namespace {

struct GeometryOptions {
  std::string case_file, output, projections;
  bool force = false, quiet = false;
};

void run(const GeometryOptions& options) {
  if (!is_named(options.output, ".xml"))
    throw UsageError("output: expected a file named .xml, found " + options.output);
  require_writable_file("output", options.output, {options.case_file});
  require_replaceable("output", options.output, options.force);
  if (!options.projections.empty()) {
    if (!is_named(options.projections, ".mha"))
      throw UsageError("--projections: expected a file named .mha, found " + options.projections);
    require_writable_file("--projections", options.projections, {options.case_file});
    require_replaceable("--projections", options.projections, options.force);
  }
  const Acquisition acquisition = read_acquisition(options.case_file);
  if (!options.projections.empty()) write_rtk_projections(options.projections, acquisition);
  write_rtk_geometry(options.output, acquisition.poses);
  print_line(options.quiet, "wrote " + count_text(acquisition.poses.size(), "pose") + " to " + options.output);
  if (!options.projections.empty()) print_line(options.quiet, "wrote their projections to " + options.projections);
}

}  // namespace

void add_export_geometry(CLI::App& parent) {
  auto options = std::make_shared<GeometryOptions>();
  CLI::App* sub = parent.add_subcommand("geometry", "a case's poses as geometry of the Reconstruction Toolkit (RTK)");
  sub->add_option("case", options->case_file, "acquisition file (CASE.h5)")->required()->check(existing_file());
  sub->add_option("output", options->output, "XML file to write")->required();
  sub->add_option("--projections", options->projections, "also write the line integrals that go with it (.mha)")
      ->check(not_empty());
  sub->add_flag("--force", options->force, "replace the outputs");
  sub->add_flag("--quiet", options->quiet, "print nothing but errors");
  sub->callback([options] { run(*options); });
}

}  // namespace dsasrgs::program
