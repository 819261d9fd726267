// SPDX-License-Identifier: Apache-2.0
#pragma once
// From arguments to an exit code: 0 done · 1 the job failed · 2 bad usage or bad input.

#include <CLI/CLI.hpp>

namespace dsasrgs::program {

struct Program {
  const char* name;
  const char* description;
  void (*add_options)(CLI::App&);  ///< and callbacks, which do the job
};

/// Parses the arguments and runs the callbacks of a program. An error is one line on stderr, whatever its message
/// holds.
int run_program(const Program&, int argc, char** argv);

}  // namespace dsasrgs::program
