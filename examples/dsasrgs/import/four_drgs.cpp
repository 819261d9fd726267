// SPDX-License-Identifier: Apache-2.0
// dsasrgs import 4drgs: a folder of 4DRGS.

#include <memory>

#include "import/import_job.hpp"
#include "import/import_kinds.hpp"

namespace dsasrgs::program {

void add_import_4drgs(CLI::App& import) {
  struct Arguments : ImportArguments {
    std::string folder;
    FourDrgsImportOptions options;
  };
  auto a = std::make_shared<Arguments>();
  CLI::App* sub =
      import.add_subcommand("4drgs", "a folder of 4DRGS: transforms.json, mask_run.nii.gz, fill_run.nii.gz");
  sub->add_option("folder", a->folder, "where the files are")->required()->check(existing_folder());
  add_import_options(*sub, *a);
  sub->add_flag("--secondary-angles", a->options.secondary_angles,
                "take the frames' SecondaryAngle, which 4DRGS itself reads as 0");
  sub->callback([a] {
    const std::filesystem::path folder = a->folder;
    require_import_output(*a, {folder / "transforms.json", folder / "mask_run.nii.gz", folder / "fill_run.nii.gz",
                               folder / "DSA.nii.gz"});
    follow_arguments(*a, a->options);
    write_import(*a, [&] { return import_4drgs(folder, a->options); });
  });
}

}  // namespace dsasrgs::program
