// SPDX-License-Identifier: Apache-2.0
// dsasrgs import rtk: a geometry of RTK and its stack of projections.

#include <memory>

#include "cli/value_checks.hpp"
#include "import/import_job.hpp"
#include "import/import_kinds.hpp"

namespace dsasrgs::program {

void add_import_rtk(CLI::App& import) {
  struct Arguments : ImportArguments {
    std::string geometry, projections;
    RtkImportOptions options;
  };
  auto a = std::make_shared<Arguments>();
  CLI::App* sub = import.add_subcommand("rtk", "a geometry of RTK and its stack of projections");
  sub->add_option("geometry", a->geometry, "geometry (GEOMETRY.xml)")->required()->check(existing_file());
  sub->add_option("projections", a->projections, "MetaImage of all projections (.mha, .mhd)")
      ->required()
      ->check(existing_file());
  add_import_options(*sub, *a);
  sub->add_option("--white", a->options.white, "the stack holds counts, this many without anything in the beam")
      ->check(positive_finite());
  sub->callback([a] {
    require_import_output(*a, {a->geometry, a->projections});
    follow_arguments(*a, a->options);
    write_import(*a, [&] { return import_rtk(a->geometry, a->projections, a->options); });
  });
}

}  // namespace dsasrgs::program
