// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "common/host_vector.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "files/byte_stream.hpp"

namespace dsasrgs {

Volume read_raw_volume(const std::filesystem::path& path, const VolumeGrid& grid) try {
  constexpr int kMaxExtent = 1 << 20;  // keeps the product of three within 64 bits
  const auto [shortest, longest] = std::minmax({grid.size_x, grid.size_y, grid.size_z});
  if (shortest < 1 || longest > kMaxExtent)
    throw InvalidArgument("grid: expected 1 to 2^20 voxels along each axis, found " + std::to_string(grid.size_x) +
                          " x " + std::to_string(grid.size_y) + " x " + std::to_string(grid.size_z));
  const std::size_t num_voxels = grid.num_voxels();
  ByteReader file(path);
  const std::string expected = std::to_string(num_voxels) + " bytes";
  if (num_voxels > file.max_size())
    throw BadInput(file.name(), "voxels", expected,
                   (file.is_compressed() ? "at most " : "") + std::to_string(file.max_size()));
  Volume volume{grid, {}, 1};
  with_host_memory(num_voxels * sizeof(float), [&] {
    if (!file.is_compressed()) volume.values.reserve(num_voxels);
    std::vector<std::uint8_t> block(std::min<std::size_t>(num_voxels, 1 << 20));
    while (volume.values.size() < num_voxels) {  // memory grows with what is there
      const std::size_t done = volume.values.size(), count = std::min(block.size(), num_voxels - done);
      const std::size_t found = file.read(block.data(), count);
      if (found < count) throw BadInput(file.name(), "voxels", expected, std::to_string(done + found));
      volume.values.insert(volume.values.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(count));
    }
  });
  std::uint8_t beyond;
  if (file.read(&beyond, 1) != 0) throw BadInput(file.name(), "voxels", expected, "more");
  return volume;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
