// SPDX-License-Identifier: Apache-2.0
// dsasrgs report: a run as one HTML file.

#include "report/report.hpp"

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "cli/file_kind.hpp"
#include "cli/interruption.hpp"
#include "cli/machine_options.hpp"
#include "cli/output_path.hpp"
#include "cli/progress.hpp"
#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/splits.hpp"
#include "report/run_record.hpp"
#include "subcommands.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;

namespace {

struct ReportArguments {
  std::string run, output, case_file;
  ReportOptions report;
  MachineOptions machine;
};

/// Where the acquisition of a run may be: as the run names it, from here or from a folder above the run's. Empty: it is
/// not there.
fs::path find_case(const fs::path& named, const fs::path& run) {
  std::error_code error;
  if (named.empty() || fs::is_regular_file(named, error)) return named;
  if (named.is_absolute()) return {};
  const fs::path folder = fs::weakly_canonical(run, error);
  for (fs::path above = folder; above.has_relative_path(); above = above.parent_path())
    if (fs::is_regular_file(above / named, error)) return above / named;
  return {};
}

/// The acquisition with the model's split. Empty, and `why` is said, where the run's own is not there or is another
/// by now; one that was named with --case must be right.
std::optional<Acquisition> read_case(const ReportArguments& arguments, const std::string& recorded, const Model* model,
                                     std::string& why) {
  const bool named = !arguments.case_file.empty();
  const fs::path file = named ? fs::path(arguments.case_file) : find_case(recorded, arguments.run);
  if (file.empty()) {
    why = recorded.empty() ? "the run does not say which case it is of (--case names it)."
                           : "the case " + recorded + " was not found (--case says where it is).";
    return std::nullopt;
  }
  Acquisition acquisition = read_acquisition(file);
  if (model == nullptr || use_split_of_model(acquisition, *model)) return acquisition;
  if (named)
    throw UsageError("--case: expected the acquisition that the model was trained on, found another: " + file.string());
  why = file.string() + " is not the case that the model was trained on, or has changed since.";
  return std::nullopt;
}

void run(const ReportArguments& arguments) {
  const Interruption interruption;
  const bool quiet = arguments.machine.quiet;
  const fs::path folder = arguments.run;
  const RunRecord record = read_run_record(folder);
  const fs::path output = arguments.output.empty() ? folder / kReportFile : fs::path(arguments.output);
  if (!is_named(output, ".html") && !is_named(output, ".htm"))
    throw UsageError("--output: expected a file named .html, found " + output.string());
  const fs::path model_file = folder / "model.h5";
  require_writable_file("--output", output,
                        {model_file, folder / "config.toml", folder / "log.csv", folder / "metrics.json",
                         arguments.case_file, record.case_file});
  require_replaceable_report("--output", output);
  Context ctx = make_context(arguments.machine);
  show_log(ctx, arguments.machine);
  std::optional<Model> model;
  std::error_code error;
  if (fs::exists(model_file, error)) model = read_model(ctx, model_file);
  ReportSources sources;
  sources.run = folder;
  sources.model = model ? &*model : nullptr;
  const std::optional<Acquisition> acquisition =
      read_case(arguments, record.case_file, sources.model, sources.no_acquisition);
  sources.acquisition = acquisition ? &*acquisition : nullptr;
  ReportOptions options = arguments.report;
  options.quiet = quiet;
  announce_report(write_report(ctx, sources, output, options), output, quiet);
}

}  // namespace

void add_report(CLI::App& app) {
  auto arguments = std::make_shared<ReportArguments>();
  CLI::App* sub = app.add_subcommand("report", "show a run: one HTML file for any browser");
  sub->add_option("run", arguments->run, "run folder")->required()->check(not_empty());
  sub->add_option("--output", arguments->output, "file to make (.html); default: report.html in the run folder")
      ->check(not_empty());
  sub->add_option("--case", arguments->case_file,
                  "the acquisition that the run was trained on; default: the one it names, where that is still there")
      ->check(existing_file());
  ReportOptions& o = arguments->report;
  sub->add_option("--images", o.images, "views shown, spread over those held out, each at as many moments")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  sub->add_option("--image-px", o.image_px, "longest side of an image")
      ->check(CLI::Range(64, 2048))
      ->capture_default_str();
  sub->add_option("--frames", o.frames, "moments of the volume")->check(CLI::Range(1, 32))->capture_default_str();
  sub->add_option("--voxels", o.voxels, "longest side of the volume")
      ->check(CLI::Range(16, 160))
      ->capture_default_str();
  sub->add_option("--max-mib", o.most_mib, "size of the file: images and volume become smaller until it fits")
      ->check(positive_finite())
      ->capture_default_str();
  add_machine_options(*sub, arguments->machine);
  sub->callback([arguments] { run(*arguments); });
}

}  // namespace dsasrgs::program
