// SPDX-License-Identifier: Apache-2.0
// Tables of poses.
#include "imports.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dsasrgs::fuzz::check_pictures(dsasrgs::fuzz::files_with("poses.csv", data, size));
  return 0;
}
