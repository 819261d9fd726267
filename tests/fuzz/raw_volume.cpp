// SPDX-License-Identifier: Apache-2.0
// Volumes without a header: three bytes of size, then the file, plain and compressed.
#include <algorithm>

#include "dsasrgs/io.hpp"
#include "harness.hpp"

using namespace dsasrgs;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const VolumeGrid grid{std::max<int>(data[0], 1), std::max<int>(data[1], 1), std::max<int>(data[2], 1), {1, 1, 1}, {}};
  for (const char* name : {"v.raw", "v.raw.gz"}) {
    const std::filesystem::path path = fuzz::file_of(name, fuzz::text_of(data + 3, size - 3));
    fuzz::read([&] { fuzz::require(read_raw_volume(path, grid).values.size() == grid.num_voxels(), "other voxels"); });
  }
  return 0;
}
