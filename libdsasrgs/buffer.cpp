#include "dsasrgs/buffer.hpp"

#include <cstring>
#include <new>
#include <string>

#include "dsasrgs/error.hpp"

namespace dsasrgs {

namespace {
constexpr std::align_val_t kAlignment{64};
}

Memory::Memory(Context&, std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  data_ = ::operator new(bytes, kAlignment, std::nothrow);
  if (data_ == nullptr)
    throw OutOfMemory("host memory: " + std::to_string(bytes) + " bytes were needed and could not be had");
}

Memory::~Memory() { ::operator delete(data_, kAlignment); }

void copy_bytes_from_host(Context&, void* destination, const void* source, std::size_t bytes) {
  if (bytes != 0) std::memcpy(destination, source, bytes);
}
void copy_bytes_to_host(Context&, void* destination, const void* source, std::size_t bytes) {
  if (bytes != 0) std::memcpy(destination, source, bytes);
}
void zero_bytes(Context&, void* destination, std::size_t bytes) {
  if (bytes != 0) std::memset(destination, 0, bytes);
}

}  // namespace dsasrgs
