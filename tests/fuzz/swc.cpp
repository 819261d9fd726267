// SPDX-License-Identifier: Apache-2.0
// SWC files, with and without a smallest radius.
#include "vessels.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::filesystem::path path = fuzz::file_of("t.swc", fuzz::text_of(data, size));
  for (const double min_radius_mm : {0.0, 0.1}) fuzz::check_tree([&] { return read_swc(path, min_radius_mm); });
  return 0;
}
