// SPDX-License-Identifier: Apache-2.0
// dsasrgs-study: methods × numbers of views × cases × label sources × seeds, and their tables (docs/studies.md).

#include "cli/run_program.hpp"
#include "study/study.hpp"

int main(int argc, char** argv) {
  using namespace dsasrgs::program;
  return run_program({"dsasrgs-study", kStudyDescription, add_study}, argc, argv);
}
