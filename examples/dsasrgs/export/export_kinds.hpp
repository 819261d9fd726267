// SPDX-License-Identifier: Apache-2.0
#pragma once
// The kinds of files that `dsasrgs export` makes: each adds a subcommand of its own.

#include <CLI/CLI.hpp>

namespace dsasrgs::program {

void add_export_surface(CLI::App& parent);
void add_export_gaussians(CLI::App& parent);
void add_export_geometry(CLI::App& parent);

}  // namespace dsasrgs::program
