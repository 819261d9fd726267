// SPDX-License-Identifier: Apache-2.0
#pragma once
// The study program, alone or as a subcommand.

#include <CLI/CLI.hpp>

namespace dsasrgs::program {

inline constexpr const char* kStudyDescription = "methods x views x cases x labels x seeds, and their tables";

/// Adds the options of a study to a program or subcommand, which then carries it out.
void add_study(CLI::App&);

}  // namespace dsasrgs::program
