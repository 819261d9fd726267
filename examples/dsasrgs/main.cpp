// dsasrgs: 4D vessel models from rotational DSA, on the command line.

#include "cli/run_program.hpp"
#include "dsasrgs/version.hpp"
#include "study/study.hpp"
#include "subcommands.hpp"

int main(int argc, char** argv) {
  using namespace dsasrgs::program;
  CLI::App app{"4D vessel models from one rotational DSA acquisition (research software, not a medical device)",
               "dsasrgs"};
  app.set_version_flag("--version", "dsasrgs " DSASRGS_VERSION_STRING);
  app.require_subcommand(1);
  add_simulate(app);
  add_reconstruct(app);
  add_render(app);
  add_voxelize(app);
  add_evaluate(app);
  add_labels(app);
  add_study(*app.add_subcommand("study", kStudyDescription));
  add_inspect(app);
  return run_program(app, argc, argv);
}
