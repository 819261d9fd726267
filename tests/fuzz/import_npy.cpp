// SPDX-License-Identifier: Apache-2.0
// .npy files.
#include "imports.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::filesystem::path& folder = fuzz::files_with("stack.npy", data, size);
  fuzz::check_import([&] { return import_tigre(folder / "tigre.json", folder / "stack.npy"); });
  return 0;
}
