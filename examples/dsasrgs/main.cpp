// SPDX-License-Identifier: Apache-2.0
// dsasrgs: 4D vessel models from rotational DSA, on the command line.

#include "cli/run_program.hpp"
#include "study/study.hpp"
#include "subcommands.hpp"

namespace {

void add_subcommands(CLI::App& app) {
  using namespace dsasrgs::program;
  app.require_subcommand(1);
  add_simulate(app);
  add_align(app);
  add_reconstruct(app);
  add_render(app);
  add_voxelize(app);
  add_evaluate(app);
  add_labels(app);
  add_train_network(app);
  add_study(*app.add_subcommand("study", kStudyDescription));
  add_import(app);
  add_export(app);
  add_inspect(app);
  add_report(app);
}

}  // namespace

int main(int argc, char** argv) {
  return dsasrgs::program::run_program(
      {"dsasrgs", "4D vessel models from one rotational DSA acquisition (research software, not a medical device)",
       add_subcommands},
      argc, argv);
}
