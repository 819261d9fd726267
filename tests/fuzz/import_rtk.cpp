// SPDX-License-Identifier: Apache-2.0
// RTK's geometry.
#include "imports.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::filesystem::path& folder = fuzz::files_with("rtk.xml", data, size);
  fuzz::check_import([&] { return import_rtk(folder / "rtk.xml", folder / "stack.mha"); });
  return 0;
}
