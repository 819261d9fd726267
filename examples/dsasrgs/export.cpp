// SPDX-License-Identifier: Apache-2.0
// dsasrgs export: what is known, in the files of other programs.

#include "export/export_kinds.hpp"
#include "subcommands.hpp"

namespace dsasrgs::program {

void add_export(CLI::App& app) {
  CLI::App* sub = app.add_subcommand("export", "write a model or a case for other programs (volumes: voxelize)");
  sub->require_subcommand(1);
  add_export_surface(*sub);
  add_export_gaussians(*sub);
  add_export_geometry(*sub);
}

}  // namespace dsasrgs::program
