// SPDX-License-Identifier: Apache-2.0
// TIFF files.
#include "imports.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::filesystem::path& folder = fuzz::files_with("1.tif", data, size);
  fuzz::check_import([&] {
    ImageImportOptions options;
    options.pitch_u_mm = options.pitch_v_mm = 50;
    return import_images(folder, folder / "poses.csv", options);
  });
  return 0;
}
