// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bytes of an HDF5 file that grows in memory, as they are once HDF5 has closed it.

#include <hdf5.h>

#include <cstddef>
#include <span>

namespace dsasrgs {

/// Throws std::bad_alloc where HDF5 might run out of memory for its own structures, which HDF5 1.10.8 does not survive:
/// it uses null pointers, ends the process, or cannot be used from then on.
void require_room_for_hdf5();

/// HDF5's core driver grows and leaves its memory here. H5Fget_file_image would do without, but of a file whose
/// superblock has a checksum HDF5 1.10.8 gives an image whose checksum is wrong: it clears a flag and computes no
/// other.
class Hdf5Memory {
 public:
  Hdf5Memory() = default;
  ~Hdf5Memory();
  Hdf5Memory(const Hdf5Memory&) = delete;
  Hdf5Memory& operator=(const Hdf5Memory&) = delete;

  /// Makes files that are opened with this property list live here. Must outlive the file.
  /// Below 0 where HDF5 does not.
  herr_t attach(hid_t file_access);
  /// The file, which must be closed. Empty where HDF5 could not finish it.
  std::span<const char> closed_file() const;

 private:
  static void* resize(void* data, std::size_t size, H5FD_file_image_op_t, void* self);
  static herr_t keep(void* data, H5FD_file_image_op_t, void* self);

  void* data_ = nullptr;
  std::size_t capacity_ = 0;
  bool closed_ = false;
};

}  // namespace dsasrgs
