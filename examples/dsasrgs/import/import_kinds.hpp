#pragma once
// The kinds of files that `dsasrgs import` takes: each adds a subcommand of its own.

#include <CLI/CLI.hpp>

namespace dsasrgs::program {

void add_import_images(CLI::App& import);
void add_import_gaussians(CLI::App& import);

}  // namespace dsasrgs::program
