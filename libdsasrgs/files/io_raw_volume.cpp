#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "files/byte_stream.hpp"

namespace dsasrgs {

Volume read_raw_volume(const std::filesystem::path& path, const VolumeGrid& grid) {
  constexpr int kMaxExtent = 1 << 20;  // keeps the product of three within 64 bits
  const auto [shortest, longest] = std::minmax({grid.size_x, grid.size_y, grid.size_z});
  if (shortest < 1 || longest > kMaxExtent)
    throw InvalidArgument("read_raw_volume: grid: expected 1 to 2^20 voxels along each axis, found " +
                          std::to_string(grid.size_x) + " x " + std::to_string(grid.size_y) + " x " +
                          std::to_string(grid.size_z));
  const std::size_t num_voxels = grid.num_voxels();
  ByteReader file(path);
  std::vector<std::uint8_t> bytes = host_vector<std::uint8_t>(num_voxels);
  const std::size_t found = file.read(bytes.data(), num_voxels);
  std::uint8_t beyond;
  const std::string expected = std::to_string(num_voxels) + " bytes";
  if (found < num_voxels) throw BadInput(file.name(), "voxels", expected, std::to_string(found));
  if (file.read(&beyond, 1) != 0) throw BadInput(file.name(), "voxels", expected, "more");
  Volume volume{grid, host_vector<float>(num_voxels), 1};
  std::copy(bytes.begin(), bytes.end(), volume.values.begin());
  return volume;
}

}  // namespace dsasrgs
