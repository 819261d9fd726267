// SPDX-License-Identifier: Apache-2.0
// dsasrgs import images: pictures and a table of their poses.

#include <memory>
#include <vector>

#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"
#include "import/import_job.hpp"
#include "import/import_kinds.hpp"

namespace dsasrgs::program {

namespace {

struct ImagesArguments : ImportArguments {
  std::string folder, table;
  std::vector<double> pitch_mm;
  ImageImportOptions options;
};

void run(ImagesArguments& a) {
  if (a.options.grey.white && !a.options.grey.intensity)
    throw UsageError("--white: expected with --intensity, found without");
  require_import_output(a, {a.table});
  follow_arguments(a, a.options);
  a.typed_words = {{"options.pitch_u_mm", "--pitch-mm"}};
  a.options.pitch_u_mm = a.pitch_mm.front();
  a.options.pitch_v_mm = a.pitch_mm.back();
  write_import(a, [&] { return import_images(a.folder, a.table, a.options); });
}

}  // namespace

void add_import_images(CLI::App& import) {
  auto arguments = std::make_shared<ImagesArguments>();
  ImagesArguments& a = *arguments;
  CLI::App* sub = import.add_subcommand("images", "a folder of PNG or TIFF pictures and a CSV table of their poses");
  sub->add_option("folder", a.folder, "where the pictures are")->required()->check(existing_folder());
  sub->add_option("table", a.table, "table of file, time_s, primary_deg, … (docs/importing.md)")
      ->required()
      ->check(existing_file());
  add_import_options(*sub, a);
  sub->add_option("--pitch-mm", a.pitch_mm, "pixel pitch at the detector: one value, or u v")
      ->required()
      ->expected(1, 2)
      ->delimiter(',')
      ->check(positive_finite());
  sub->add_option("--sod-mm", a.options.sod_mm, "source to isocentre, where the table has no column for it")
      ->check(positive_finite());
  sub->add_option("--sdd-mm", a.options.sdd_mm, "source to detector, where the table has no column for it")
      ->check(positive_finite());
  CLI::Option* intensity =
      sub->add_flag("--intensity", a.options.grey.intensity, "grey values are counts: ln(mask) - ln(grey)");
  sub->add_option("--white", a.options.grey.white, "counts without contrast, where the table has no column mask")
      ->check(positive_finite());
  sub->add_option("--slope", a.options.grey.slope, "else: line integral = slope * grey + intercept")
      ->capture_default_str()
      ->excludes(intensity);
  sub->add_option("--intercept", a.options.grey.intercept, "of that line")->capture_default_str()->excludes(intensity);
  sub->callback([arguments] { run(*arguments); });
}

}  // namespace dsasrgs::program
