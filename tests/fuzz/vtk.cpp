// SPDX-License-Identifier: Apache-2.0
// Centrelines in VTK files.
#include "vessels.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::filesystem::path path = fuzz::file_of("t.vtk", fuzz::text_of(data, size));
  fuzz::check_tree([&] { return read_vtk_centerlines(path, 1); });
  return 0;
}
