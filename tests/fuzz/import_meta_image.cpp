// SPDX-License-Identifier: Apache-2.0
// MetaImage files.
#include "imports.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::filesystem::path& folder = fuzz::files_with("stack.mha", data, size);
  fuzz::check_import([&] { return import_rtk(folder / "rtk.xml", folder / "stack.mha"); });
  return 0;
}
