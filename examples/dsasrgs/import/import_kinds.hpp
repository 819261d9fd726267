// SPDX-License-Identifier: Apache-2.0
#pragma once
// The kinds of files that `dsasrgs import` takes: each adds a subcommand of its own.

#include <CLI/CLI.hpp>

namespace dsasrgs::program {

void add_import_images(CLI::App& import);
void add_import_4drgs(CLI::App& import);
void add_import_r2_gaussian(CLI::App& import);
void add_import_naf(CLI::App& import);
void add_import_rtk(CLI::App& import);
void add_import_tigre(CLI::App& import);
void add_import_astra(CLI::App& import);
void add_import_dicom(CLI::App& import);
void add_import_gaussians(CLI::App& import);

}  // namespace dsasrgs::program
