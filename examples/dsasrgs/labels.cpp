// SPDX-License-Identifier: Apache-2.0
// dsasrgs labels: pseudo-labels with a super-resolution network, or without one for tests and studies.

#include <memory>
#include <string>

#include "cli/interruption.hpp"
#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"
#include "jobs/make_labels.hpp"
#include "subcommands.hpp"

namespace dsasrgs::program {

void add_labels(CLI::App& app) {
  struct Arguments {
    std::string case_file, output;
    LabelOptions options;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* sub =
      app.add_subcommand("labels", "make pseudo-labels: sharper images of the views, for --preset dsa-srgs");
  sub->add_option("case", arguments->case_file, "acquisition file (CASE.h5)")->required()->check(existing_file());
  sub->add_option("--output", arguments->output, "label file to write (LABELS.h5)")->required();
  const OptionList list = options_of(arguments->options);
  add_options(*sub, list);
  sub->callback([arguments, sub, list] {
    const LabelOptions& options = arguments->options;
    if (const UnheededOption option = unheeded_option(options, given_options(*sub, list)); !option.name.empty())
      throw UsageError("--" + option.name + ": expected --method " + option.goes_with + " with it, found --method " +
                       options.method);
    const Interruption interruption;
    make_labels(arguments->case_file, arguments->output, options);
  });
}

}  // namespace dsasrgs::program
