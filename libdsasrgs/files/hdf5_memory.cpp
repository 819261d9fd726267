// SPDX-License-Identifier: Apache-2.0
#include "files/hdf5_memory.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <new>

namespace dsasrgs {

namespace {

/// By which the memory grows.
constexpr std::size_t kIncrement = std::size_t{1} << 20;

/// In superblocks of version 2 and 3 (HDF5 File Format Specification, II.A): the address behind the last byte of the
/// file, little-endian.
constexpr std::size_t kEndOfFileAt = 28, kEndOfFileBytes = 8;

}  // namespace

void require_room_for_hdf5() {
  constexpr std::size_t kRoom = std::size_t{8} << 20;
  void* const room = ::mmap(nullptr, kRoom, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) throw std::bad_alloc();
  ::munmap(room, kRoom);
}

Hdf5Memory::~Hdf5Memory() { std::free(data_); }

herr_t Hdf5Memory::attach(hid_t file_access) {
  H5FD_file_image_callbacks_t callbacks{};
  callbacks.image_realloc = resize;
  callbacks.image_free = keep;
  callbacks.udata_copy = [](void* self) { return self; };
  callbacks.udata_free = [](void*) -> herr_t { return 0; };
  callbacks.udata = this;
  if (H5Pset_file_image_callbacks(file_access, &callbacks) < 0) return -1;
  return H5Pset_fapl_core(file_access, kIncrement, false);
}

std::span<const char> Hdf5Memory::closed_file() const {
  if (!closed_ || capacity_ < kEndOfFileAt + kEndOfFileBytes) return {};
  const auto* bytes = static_cast<const unsigned char*>(data_);
  std::uint64_t size = 0;
  for (std::size_t i = kEndOfFileBytes; i-- > 0;) size = size << 8 | bytes[kEndOfFileAt + i];
  if (size > capacity_) return {};
  return {static_cast<const char*>(data_), size};
}

void* Hdf5Memory::resize(void* data, std::size_t size, H5FD_file_image_op_t, void* self) {
  auto& memory = *static_cast<Hdf5Memory*>(self);
  void* larger = std::realloc(data, size);
  if (larger == nullptr) return nullptr;
  memory.data_ = larger;
  memory.capacity_ = size;
  return larger;
}

herr_t Hdf5Memory::keep(void*, H5FD_file_image_op_t, void* self) {
  static_cast<Hdf5Memory*>(self)->closed_ = true;
  return 0;
}

}  // namespace dsasrgs
