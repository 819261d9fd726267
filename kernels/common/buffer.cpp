// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/buffer.hpp"

#include <sys/resource.h>

#include <cstdint>
#include <cstring>
#include <new>
#include <string>

#include "common/device.hpp"
#include "common/has_cuda.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs {

namespace {
constexpr std::align_val_t kAlignment{64};

/// "N bytes", or where that is no number of bytes "N elements of S bytes".
std::string amount(std::size_t count, std::size_t element_bytes) {
  return count <= PTRDIFF_MAX / element_bytes
             ? std::to_string(count * element_bytes) + " bytes"
             : std::to_string(count) + " elements of " + std::to_string(element_bytes) + " bytes";
}
}  // namespace

void throw_out_of_host_memory(std::size_t count, std::size_t element_bytes) {
  throw OutOfMemory("host memory: " + amount(count, element_bytes) + " were needed and could not be had");
}

void throw_out_of_host_memory() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  throw OutOfMemory("host memory: the process held up to " + std::to_string(usage.ru_maxrss / 1024) +
                    " MiB when the system refused more");
}

Memory::Memory(Context& ctx, std::size_t count, std::size_t element_bytes) : device_(ctx.cuda_device()) {
  if (count == 0) return;
  if (count > PTRDIFF_MAX / element_bytes) {
    if (device_ == nullptr) throw_out_of_host_memory(count, element_bytes);
    throw OutOfMemory("CUDA device memory: " + amount(count, element_bytes) + " were needed");
  }
  const std::size_t bytes = count * element_bytes;
  if constexpr (has_cuda)
    if (device_ != nullptr) data_ = device_->allocate(bytes);
  if (device_ == nullptr) {
    data_ = ::operator new(bytes, kAlignment, std::nothrow);
    if (data_ == nullptr) throw_out_of_host_memory(count, element_bytes);
  }
  bytes_ = bytes;
}

Memory::~Memory() {
  if constexpr (has_cuda) {
    if (device_ != nullptr) {
      if (data_ != nullptr) device_->release(data_);
      return;
    }
  }
  ::operator delete(data_, kAlignment);
}

void copy_bytes_from_host(Context& ctx, void* destination, const void* source, std::size_t bytes) {
  if (bytes == 0) return;
  if constexpr (has_cuda)
    if (ctx.cuda_device() != nullptr) return ctx.cuda_device()->copy_from_host(destination, source, bytes);
  std::memcpy(destination, source, bytes);
}
void copy_bytes_to_host(Context& ctx, void* destination, const void* source, std::size_t bytes) {
  if (bytes == 0) return;
  if constexpr (has_cuda)
    if (ctx.cuda_device() != nullptr) return ctx.cuda_device()->copy_to_host(destination, source, bytes);
  std::memcpy(destination, source, bytes);
}
void zero_bytes(Context& ctx, void* destination, std::size_t bytes) {
  if (bytes == 0) return;
  if constexpr (has_cuda)
    if (ctx.cuda_device() != nullptr) return ctx.cuda_device()->zero(destination, bytes);
  std::memset(destination, 0, bytes);
}

}  // namespace dsasrgs
