// SPDX-License-Identifier: Apache-2.0
// NAF's pickles.
#include "imports.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::filesystem::path& folder = fuzz::files_with("naf.pickle", data, size);
  fuzz::check_import([&] { return import_naf(folder / "naf.pickle"); });
  return 0;
}
