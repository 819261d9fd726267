#include "dsasrgs/buffer.hpp"

#include <cstring>
#include <new>
#include <string>

#include "common/device.hpp"
#include "common/has_cuda.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs {

namespace {
constexpr std::align_val_t kAlignment{64};
}

Memory::Memory(Context& ctx, std::size_t bytes) : bytes_(bytes), stream_(ctx.stream()) {
  if (bytes == 0) return;
  if constexpr (has_cuda) {
    if (stream_ != nullptr) {
      data_ = cuda::allocate(stream_, bytes);
      return;
    }
  }
  data_ = ::operator new(bytes, kAlignment, std::nothrow);
  if (data_ == nullptr)
    throw OutOfMemory("host memory: " + std::to_string(bytes) + " bytes were needed and could not be had");
}

Memory::~Memory() {
  if constexpr (has_cuda) {
    if (stream_ != nullptr) {
      if (data_ != nullptr) cuda::release(stream_, data_);
      return;
    }
  }
  ::operator delete(data_, kAlignment);
}

void copy_bytes_from_host(Context& ctx, void* destination, const void* source, std::size_t bytes) {
  if (bytes == 0) return;
  if constexpr (has_cuda)
    if (ctx.stream() != nullptr) return cuda::copy_from_host(ctx.stream(), destination, source, bytes);
  std::memcpy(destination, source, bytes);
}
void copy_bytes_to_host(Context& ctx, void* destination, const void* source, std::size_t bytes) {
  if (bytes == 0) return;
  if constexpr (has_cuda)
    if (ctx.stream() != nullptr) return cuda::copy_to_host(ctx.stream(), destination, source, bytes);
  std::memcpy(destination, source, bytes);
}
void zero_bytes(Context& ctx, void* destination, std::size_t bytes) {
  if (bytes == 0) return;
  if constexpr (has_cuda)
    if (ctx.stream() != nullptr) return cuda::zero(ctx.stream(), destination, bytes);
  std::memset(destination, 0, bytes);
}

}  // namespace dsasrgs
