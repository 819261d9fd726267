#include "out_of_memory/failing_allocations.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

extern "C" void* __real_malloc(std::size_t);

namespace {

std::atomic<bool> armed{false};
std::atomic<long> allocations_left{0};

bool fails() { return armed.load() && allocations_left.fetch_sub(1) == 0; }

}  // namespace

namespace dsasrgs::test {

void fail_allocation(long which) {
  allocations_left = which;
  armed = true;
}
bool disarm() {
  armed = false;
  return allocations_left < 0;
}

}  // namespace dsasrgs::test

extern "C" void* __wrap_malloc(std::size_t size) { return fails() ? nullptr : __real_malloc(size); }

// The other forms of the standard library call these.
void* operator new(std::size_t size) {
  void* const data = fails() ? nullptr : __real_malloc(size > 0 ? size : 1);
  if (data == nullptr) throw std::bad_alloc();
  return data;
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  void* data = nullptr;
  if (fails() || posix_memalign(&data, static_cast<std::size_t>(alignment), size) != 0) throw std::bad_alloc();
  return data;
}
void operator delete(void* data) noexcept { std::free(data); }
void operator delete(void* data, std::size_t) noexcept { std::free(data); }
void operator delete(void* data, std::align_val_t) noexcept { std::free(data); }
void operator delete(void* data, std::size_t, std::align_val_t) noexcept { std::free(data); }
