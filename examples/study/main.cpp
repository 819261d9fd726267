// dsasrgs-study: methods × numbers of views × cases × label sources × seeds, and their tables (docs/studies.md).

#include "cli/run_program.hpp"
#include "dsasrgs/version.hpp"
#include "study/study.hpp"

int main(int argc, char** argv) {
  using namespace dsasrgs::program;
  CLI::App app{kStudyDescription, "dsasrgs-study"};
  app.set_version_flag("--version", "dsasrgs-study " DSASRGS_VERSION_STRING);
  add_study(app);
  return run_program(app, argc, argv);
}
