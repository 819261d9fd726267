#pragma once
// From arguments to an exit code: 0 done · 1 the job failed · 2 bad usage or bad input.

#include <CLI/CLI.hpp>

namespace dsasrgs::program {

/// Parses the arguments and runs the callbacks of the program, which has a name. An error is one line on stderr,
/// whatever its message holds.
int run_program(CLI::App& program, int argc, char** argv);

}  // namespace dsasrgs::program
