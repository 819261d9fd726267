// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where a subcommand computes and how much it says.

#include <CLI/CLI.hpp>
#include <string>

#include "dsasrgs/context.hpp"

namespace dsasrgs::program {

struct MachineOptions {
  std::string device = "auto";
  int threads = 0;
  bool quiet = false;
};

/// Adds --device, --threads and --quiet.
void add_machine_options(CLI::App& subcommand, MachineOptions&);

/// `auto` is CUDA where library and machine have it, else the CPU. Throws BackendUnavailable for `cuda` without it.
Context make_context(const MachineOptions&);
/// The library's log on stderr, unless it is to be quiet.
void show_log(Context&, const MachineOptions&);

/// "cpu" or "cuda".
const char* backend_name(const Context&);

}  // namespace dsasrgs::program
