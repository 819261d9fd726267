#include <cstdint>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "files/byte_stream.hpp"

namespace dsasrgs {

Volume read_raw_volume(const std::filesystem::path& path, const VolumeGrid& grid) {
  if (grid.size_x < 1 || grid.size_y < 1 || grid.size_z < 1)
    throw InvalidArgument("read_raw_volume: grid: expected at least one voxel along each axis, found " +
                          std::to_string(grid.size_x) + " x " + std::to_string(grid.size_y) + " x " +
                          std::to_string(grid.size_z));
  const std::size_t num_voxels = grid.num_voxels();
  ByteReader file(path);
  std::vector<std::uint8_t> bytes(num_voxels);
  const std::size_t found = file.read(bytes.data(), num_voxels);
  std::uint8_t beyond;
  const std::string expected = std::to_string(num_voxels) + " bytes";
  if (found < num_voxels) throw BadInput(file.name(), "voxels", expected, std::to_string(found));
  if (file.read(&beyond, 1) != 0) throw BadInput(file.name(), "voxels", expected, "more");
  return {grid, std::vector<float>(bytes.begin(), bytes.end()), 1};
}

}  // namespace dsasrgs
