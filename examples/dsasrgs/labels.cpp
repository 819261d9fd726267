// dsasrgs labels: pseudo-labels without a network, for tests and studies.

#include <memory>
#include <string>

#include "cli/interruption.hpp"
#include "cli/usage_error.hpp"
#include "jobs/make_labels.hpp"
#include "subcommands.hpp"

namespace dsasrgs::program {

void add_labels(CLI::App& app) {
  struct Arguments {
    std::string case_file, output;
    LabelOptions options;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* sub = app.add_subcommand("labels", "make pseudo-labels without a network, for tests and studies");
  sub->add_option("case", arguments->case_file, "acquisition file (CASE.h5)")->required();
  sub->add_option("--output", arguments->output, "label file to write (LABELS.h5)")->required();
  const OptionList list = options_of(arguments->options);
  add_options(*sub, list);
  sub->get_option("--method")->required();
  sub->callback([arguments, sub, list] {
    const LabelOptions& options = arguments->options;
    if (const std::string name = option_without_oracle(options, given_options(*sub, list)); !name.empty())
      throw UsageError("--" + name + ": expected --method oracle with it, found --method " + options.method);
    const Interruption interruption;
    make_labels(arguments->case_file, arguments->output, options);
  });
}

}  // namespace dsasrgs::program
