// SPDX-License-Identifier: Apache-2.0
// TIFF files.
#include "imports.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dsasrgs::fuzz::check_pictures(dsasrgs::fuzz::files_with("1.tif", data, size));
  return 0;
}
