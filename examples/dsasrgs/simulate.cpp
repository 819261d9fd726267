// SPDX-License-Identifier: Apache-2.0
// dsasrgs simulate: an acquisition with known truth.

#include <memory>
#include <string>
#include <vector>

#include "cli/output_path.hpp"
#include "cli/usage_error.hpp"
#include "jobs/simulate_case.hpp"
#include "subcommands.hpp"

namespace dsasrgs::program {

void add_simulate(CLI::App& app) {
  struct Arguments {
    std::string output;
    bool force = false;
    SimulateOptions options;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* sub = app.add_subcommand("simulate", "make an acquisition with known truth");
  sub->add_option("--output", arguments->output, "acquisition file to write (CASE.h5)")->required();
  sub->add_flag("--force", arguments->force, kForceDescription);
  const OptionList list = options_of(arguments->options);
  add_options(*sub, list);
  sub->callback([arguments, sub, list] {
    const std::vector<std::string> given = given_options(*sub, list);
    const VesselSourceOptions& source = arguments->options.source;
    if (const UnheededOption option = unheeded_option(source, given); !option.name.empty())
      throw UsageError("--" + option.name + ": expected --vessels " + option.goes_with + " with it, found --vessels " +
                       source.vessels);
    follow_given(arguments->options, given);
    require_writable_file("--output", arguments->output, {source.vessels});
    require_replaceable("--output", arguments->output, "dsasrgs.acquisition", arguments->force);
    simulate_case(arguments->output, arguments->options);
  });
}

}  // namespace dsasrgs::program
