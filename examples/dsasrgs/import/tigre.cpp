// SPDX-License-Identifier: Apache-2.0
// dsasrgs import tigre: a geometry of TIGRE in JSON and its array of projections.

#include <memory>

#include "cli/value_checks.hpp"
#include "import/import_job.hpp"
#include "import/import_kinds.hpp"

namespace dsasrgs::program {

void add_import_tigre(CLI::App& import) {
  struct Arguments : ImportArguments {
    std::string geometry, projections;
    TigreImportOptions options;
  };
  auto a = std::make_shared<Arguments>();
  CLI::App* sub = import.add_subcommand("tigre", "a geometry of TIGRE in JSON and its array of projections");
  sub->add_option("geometry", a->geometry, "geometry and angles, with the names of TIGRE's class (docs/importing.md)")
      ->required()
      ->check(existing_file());
  sub->add_option("projections", a->projections, "all projections, views first (.npy)")
      ->required()
      ->check(existing_file());
  add_import_options(*sub, *a);
  sub->add_option("--unit-mm", a->options.unit_mm, "the length unit of the geometry")
      ->check(positive_finite())
      ->capture_default_str();
  sub->callback([a] {
    require_import_output(*a, {a->geometry, a->projections});
    follow_arguments(*a, a->options);
    write_import(*a, [&] { return import_tigre(a->geometry, a->projections, a->options); });
  });
}

}  // namespace dsasrgs::program
