// SPDX-License-Identifier: Apache-2.0
#pragma once
// The subcommands: each adds its options to the program and runs as their callback.

#include <CLI/CLI.hpp>

namespace dsasrgs::program {

void add_simulate(CLI::App& app);
void add_align(CLI::App& app);
void add_reconstruct(CLI::App& app);
void add_render(CLI::App& app);
void add_voxelize(CLI::App& app);
void add_evaluate(CLI::App& app);
void add_labels(CLI::App& app);
void add_train_network(CLI::App& app);
void add_import(CLI::App& app);
void add_export(CLI::App& app);
void add_inspect(CLI::App& app);
void add_report(CLI::App& app);

}  // namespace dsasrgs::program
