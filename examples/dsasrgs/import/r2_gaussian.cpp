// SPDX-License-Identifier: Apache-2.0
// dsasrgs import r2-gaussian: a folder of R²-Gaussian.

#include <memory>

#include "cli/value_checks.hpp"
#include "import/import_job.hpp"
#include "import/import_kinds.hpp"

namespace dsasrgs::program {

void add_import_r2_gaussian(CLI::App& import) {
  struct Arguments : ImportArguments {
    std::string folder;
    R2GaussianImportOptions options;
  };
  auto a = std::make_shared<Arguments>();
  CLI::App* sub = import.add_subcommand("r2-gaussian", "a folder of R2-Gaussian: meta_data.json, a .npy for each view");
  sub->add_option("folder", a->folder, "where meta_data.json is")->required()->check(existing_folder());
  add_import_options(*sub, *a);
  sub->add_option("--unit-mm", a->options.unit_mm, "the length unit of meta_data.json (1000: metres)")
      ->check(positive_finite())
      ->capture_default_str();
  sub->callback([a] {
    require_import_output(*a, {std::filesystem::path(a->folder) / "meta_data.json"});
    follow_arguments(*a, a->options);
    write_import(*a, [&] { return import_r2_gaussian(a->folder, a->options); });
  });
}

}  // namespace dsasrgs::program
