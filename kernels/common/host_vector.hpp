// SPDX-License-Identifier: Apache-2.0
#pragma once
// Host memory of operators: where it cannot be had, OutOfMemory with the amount.

#include <cstddef>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <vector>

#include "dsasrgs/buffer.hpp"

namespace dsasrgs {

/// Throws OutOfMemory with the amount where std::allocator throws std::bad_alloc.
template <class T>
struct HostAllocator {
  static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
  using value_type = T;

  HostAllocator() = default;
  template <class U>
  HostAllocator(const HostAllocator<U>&) noexcept {}  // NOLINT: allocators turn into one another

  T* allocate(std::size_t count) {
    void* const data = count <= PTRDIFF_MAX / sizeof(T) ? ::operator new(count * sizeof(T), std::nothrow) : nullptr;
    if (data == nullptr) throw_out_of_host_memory(count, sizeof(T));
    return static_cast<T*>(data);
  }
  void deallocate(T* data, std::size_t) noexcept { ::operator delete(data); }
  bool operator==(const HostAllocator&) const = default;
};

/// What an operator needs on the host while it runs. Its size follows from arrays that exist, so that it is never more
/// than max_size(), where std::length_error would come.
template <class T>
using HostVector = std::vector<T, HostAllocator<T>>;

/// body(), which allocates by other means than ours (Eigen, nanoflann), `bytes` or so: OutOfMemory where it throws
/// std::bad_alloc or std::length_error.
template <class Body>
decltype(auto) with_host_memory(std::size_t bytes, Body&& body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
  } catch (const std::length_error&) {
  }
  throw_out_of_host_memory(bytes, 1);
}

/// The same where nobody knows how much.
template <class Body>
decltype(auto) with_host_memory(Body&& body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    throw_out_of_host_memory();
  }
}

}  // namespace dsasrgs
