// SPDX-License-Identifier: Apache-2.0
// JSON of TIGRE's geometry, and of R²-Gaussian's and 4DRGS's folders.
#include "imports.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const char* name : {"tigre.json", "meta_data.json", "transforms.json"}) fuzz::files_with(name, data, size);
  const std::filesystem::path& folder = fuzz::folder();
  fuzz::check_import([&] { return import_tigre(folder / "tigre.json", folder / "stack.npy"); });
  fuzz::check_import([&] { return import_r2_gaussian(folder); });
  fuzz::check_import([&] { return import_4drgs(folder); });
  return 0;
}
