// SPDX-License-Identifier: Apache-2.0
// dsasrgs import astra: vectors of ASTRA's cone_vec and their array of projections.

#include <memory>

#include "cli/value_checks.hpp"
#include "import/import_job.hpp"
#include "import/import_kinds.hpp"

namespace dsasrgs::program {

void add_import_astra(CLI::App& import) {
  struct Arguments : ImportArguments {
    std::string vectors, projections;
    AstraImportOptions options;
  };
  auto a = std::make_shared<Arguments>();
  CLI::App* sub = import.add_subcommand("astra", "vectors of ASTRA's cone_vec and their array of projections");
  sub->add_option("vectors", a->vectors, "12 numbers for each view (.npy, or text)")
      ->required()
      ->check(existing_file());
  sub->add_option("projections", a->projections, "all projections, rows x views x columns (.npy)")
      ->required()
      ->check(existing_file());
  add_import_options(*sub, *a);
  sub->add_option("--unit-mm", a->options.unit_mm, "the length unit of the vectors")
      ->check(positive_finite())
      ->capture_default_str();
  sub->add_flag("--views-first", a->options.views_first,
                "the array is views x rows x columns, not rows x views x columns");
  sub->callback([a] {
    require_import_output(*a, {a->vectors, a->projections});
    follow_arguments(*a, a->options);
    write_import(*a, [&] { return import_astra(a->vectors, a->projections, a->options); });
  });
}

}  // namespace dsasrgs::program
