// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/host_vector.hpp"
#include "common/plain_number.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "files/byte_stream.hpp"
#include "files/nifti_header.hpp"
#include "files/nifti_pictures.hpp"
#include "files/volume_check.hpp"
#include "files/volume_writers.hpp"

namespace dsasrgs {

namespace {

template <class T>
T byteswapped(T value) {
  auto bytes = std::bit_cast<std::array<char, sizeof(T)>>(value);
  std::reverse(bytes.begin(), bytes.end());
  return std::bit_cast<T>(bytes);
}

/// Reads `num_values` voxels stored as Stored, slab by slab, and scales them. Memory grows with what is there, not with
/// what the header says.
template <class Stored>
void read_voxels(ByteReader& file, const NiftiHeader& h, std::size_t num_values, std::vector<float>& values) {
  std::vector<Stored> stored(std::min<std::size_t>(num_values, 1 << 20));
  for (std::size_t done = 0; done < num_values;) {
    const std::size_t count = std::min(stored.size(), num_values - done);
    const std::size_t bytes = file.read(stored.data(), count * sizeof(Stored));
    if (bytes != count * sizeof(Stored))
      throw BadInput(file.name(), "voxels", std::to_string(num_values), std::to_string(done + bytes / sizeof(Stored)));
    values.resize(done + count);
    for (std::size_t i = 0; i < count; ++i, ++done) {
      const Stored voxel = h.swapped ? byteswapped(stored[i]) : stored[i];
      values[done] = static_cast<float>(static_cast<double>(voxel) * h.slope + h.intercept);
      if (!std::isfinite(values[done]))
        throw BadInput(file.name(), "voxels", "finite numbers",
                       plain_number(values[done]) + " at voxel " + std::to_string(done));
    }
  }
}

void read_voxels_of_type(ByteReader& file, const NiftiHeader& h, std::size_t n, std::vector<float>& values) {
  switch (h.type) {
    case NiftiType::uint8:
      return read_voxels<std::uint8_t>(file, h, n, values);
    case NiftiType::int8:
      return read_voxels<std::int8_t>(file, h, n, values);
    case NiftiType::int16:
      return read_voxels<std::int16_t>(file, h, n, values);
    case NiftiType::uint16:
      return read_voxels<std::uint16_t>(file, h, n, values);
    case NiftiType::int32:
      return read_voxels<std::int32_t>(file, h, n, values);
    case NiftiType::uint32:
      return read_voxels<std::uint32_t>(file, h, n, values);
    case NiftiType::int64:
      return read_voxels<std::int64_t>(file, h, n, values);
    case NiftiType::uint64:
      return read_voxels<std::uint64_t>(file, h, n, values);
    case NiftiType::float32:
      return read_voxels<float>(file, h, n, values);
    case NiftiType::float64:
      return read_voxels<double>(file, h, n, values);
  }
}

}  // namespace

void write_nifti(const std::filesystem::path& path, const Volume& volume, double frame_spacing_s, double first_time_s) {
  write_nifti_volume(path, volume, {frame_spacing_s, first_time_s});
}

void write_nifti_volume(const std::filesystem::path& path, const Volume& volume, const VolumeTimes& times) try {
  check_volume("write_nifti", volume, times, kMostNiftiSide);
  ByteWriter file(path);
  const auto header = nifti1_header(volume.grid, volume.frames, times);
  file.write(header.data(), header.size());
  file.write(volume.values.data(), volume.values.size() * sizeof(float));
  file.commit();
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

StoredVolume read_nifti_as_stored(const std::filesystem::path& path) try {
  ByteReader file(path);
  const NiftiHeader h = read_nifti_header(file);
  StoredVolume volume;
  std::copy(std::begin(h.size), std::end(h.size), std::begin(volume.size));
  volume.frames = h.frames;
  volume.affine = h.affine;
  volume.frame_spacing_s = h.frame_spacing_s;
  volume.first_time_s = h.first_time_s;
  file.skip(h.to_skip);
  const std::size_t in_frame = num_elements(h.size[0], h.size[1], h.size[2]);
  // A voxel is at least a byte: do not believe sizes the file cannot hold, nor products that overflow.
  if (in_frame > file.max_size() / static_cast<std::size_t>(h.frames))
    throw BadInput(file.name(), "voxels", plain_number(static_cast<double>(in_frame) * h.frames),
                   "at most " + std::to_string(file.max_size()));
  const std::size_t num_values = in_frame * static_cast<std::size_t>(h.frames);
  with_host_memory(num_values * sizeof(float), [&] {
    if (!file.is_compressed()) volume.values.reserve(num_values);
    read_voxels_of_type(file, h, num_values, volume.values);
  });
  return volume;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

Volume read_nifti(const std::filesystem::path& path) try {
  return as_axis_aligned(read_nifti_as_stored(path), path.string());
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

NumberArray<float> read_nifti_pictures(const std::filesystem::path& path) try {
  StoredVolume stored = read_nifti_as_stored(path);
  if (stored.frames > 1) throw BadInput(path.string(), "dim", "pictures: three axes", "four");
  NumberArray<float> pictures;
  for (int axis = 2; axis >= 0; --axis) pictures.shape.push_back(static_cast<std::size_t>(stored.size[axis]));
  pictures.values = std::move(stored.values);
  return pictures;
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

}  // namespace dsasrgs
