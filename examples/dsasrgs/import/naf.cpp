// SPDX-License-Identifier: Apache-2.0
// dsasrgs import naf: a pickle of NAF.

#include <memory>

#include "cli/value_checks.hpp"
#include "import/import_job.hpp"
#include "import/import_kinds.hpp"

namespace dsasrgs::program {

void add_import_naf(CLI::App& import) {
  struct Arguments : ImportArguments {
    std::string pickle;
    ImportOptions options;
  };
  auto a = std::make_shared<Arguments>();
  CLI::App* sub = import.add_subcommand("naf", "a pickle of NAF; nothing in it is run");
  sub->add_option("pickle", a->pickle, "file with geometry, projections and volume (CASE.pickle)")
      ->required()
      ->check(existing_file());
  add_import_options(*sub, *a);
  sub->callback([a] {
    require_import_output(*a, {a->pickle});
    follow_arguments(*a, a->options);
    write_import(*a, [&] { return import_naf(a->pickle, a->options); });
  });
}

}  // namespace dsasrgs::program
