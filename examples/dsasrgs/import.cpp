// SPDX-License-Identifier: Apache-2.0
// dsasrgs import: an acquisition from another program's files.

#include "import/import_kinds.hpp"
#include "subcommands.hpp"

namespace dsasrgs::program {

void add_import(CLI::App& app) {
  CLI::App* sub = app.add_subcommand("import", "make an acquisition of another program's files");
  sub->require_subcommand(1);
  add_import_images(*sub);
  add_import_4drgs(*sub);
  add_import_r2_gaussian(*sub);
  add_import_naf(*sub);
  add_import_rtk(*sub);
  add_import_tigre(*sub);
  add_import_astra(*sub);
  add_import_dicom(*sub);
  add_import_gaussians(*sub);
}

}  // namespace dsasrgs::program
