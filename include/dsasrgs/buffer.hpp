// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Buffer owns memory where a Context lives, which may be a GPU; View is a pointer and a size into it, passed by value.
/// Host memory is std::span, and neither turns into the other by itself.

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "dsasrgs/context.hpp"
#include "dsasrgs/export.hpp"

namespace DSASRGS_API dsasrgs {

/// Non-owning range of elements in the memory of some context. View<T> converts to View<const T>. Its members are
/// constexpr, so CUDA kernels may call them too.
template <class T>
class View {
 public:
  constexpr View() = default;
  /// Elements [data, data + size), or those of another view.
  constexpr View(T* data, std::size_t size) : data_(data), size_(size) {}
  template <class U, class = std::enable_if_t<std::is_same_v<const U, T>>>
  constexpr View(View<U> other) : data_(other.data()), size_(other.size()) {}  // NOLINT: implicit on purpose

  /// As of a std::span, but for where the elements are.
  constexpr T* data() const { return data_; }
  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr T* begin() const { return data_; }
  constexpr T* end() const { return data_ + size_; }
  /// Element access: on the host only for memory of a CPU context.
  constexpr T& operator[](std::size_t i) const { return data_[i]; }
  /// Elements [offset, offset + count).
  constexpr View subview(std::size_t offset, std::size_t count) const { return {data_ + offset, count}; }

  // A span takes any contiguous range for host memory, which a view need not be: these two make that ambiguous.
  template <class U, std::size_t n>
  operator std::span<U, n>() = delete;
  template <class U, std::size_t n>
  operator std::span<U, n>() const = delete;

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Untyped, move-only memory of a context; the part of Buffer that is not a template.
class Memory {
 public:
  Memory() = default;
  /// Uninitialised, 64-byte aligned. Throws OutOfMemory with the amount.
  Memory(Context&, std::size_t count, std::size_t element_bytes);
  Memory(Memory&& o) noexcept
      : data_(std::exchange(o.data_, nullptr)), bytes_(std::exchange(o.bytes_, 0)), device_(o.device_) {}
  Memory& operator=(Memory&& o) noexcept {
    Memory taken(std::move(o));
    std::swap(data_, taken.data_);
    std::swap(bytes_, taken.bytes_);
    std::swap(device_, taken.device_);
    return *this;
  }
  ~Memory();
  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
  cuda::Device* device_ = nullptr;  // of a CUDA context; null: host memory
};

/// Throws OutOfMemory: `count` elements could not be had in host memory.
[[noreturn]] void throw_out_of_host_memory(std::size_t count, std::size_t element_bytes);

/// Throws OutOfMemory: an allocation whose size is not known here was refused. Says what the process holds.
[[noreturn]] void throw_out_of_host_memory();

/// `count` copies of a value in host memory. Throws OutOfMemory with the amount where std::vector would throw
/// std::bad_alloc or std::length_error.
template <class T>
std::vector<T> host_vector(std::size_t count, const T& value = T()) {
  try {
    return std::vector<T>(count, value);
  } catch (const std::bad_alloc&) {
  } catch (const std::length_error&) {
  }
  throw_out_of_host_memory(count, sizeof(T));
}

/// Copies between host memory and a context's memory; returns when the copy is done.
void copy_bytes_from_host(Context&, void* destination, const void* source, std::size_t bytes);
void copy_bytes_to_host(Context&, void* destination, const void* source, std::size_t bytes);
/// Sets bytes of a context's memory to zero, in stream order.
void zero_bytes(Context&, void* destination, std::size_t bytes);

/// Owns `size` elements where the context lives. Move-only (a buffer that was moved from is empty); a new buffer is
/// uninitialised.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() = default;
  /// Uninitialised. Throws OutOfMemory with the amount.
  Buffer(Context& ctx, std::size_t size) : memory_(ctx, size, sizeof(T)) {}
  /// All elements zero (bitwise).
  static Buffer zeros(Context& ctx, std::size_t size) {
    Buffer b(ctx, size);
    zero_bytes(ctx, b.data(), size * sizeof(T));
    return b;
  }
  /// A copy of host data.
  static Buffer from_host(Context& ctx, std::span<const T> host) {
    Buffer b(ctx, host.size());
    copy_bytes_from_host(ctx, b.data(), host.data(), host.size_bytes());
    return b;
  }
  static Buffer from_host(Context& ctx, const std::vector<T>& host) { return from_host(ctx, std::span<const T>(host)); }
  /// A host copy. Throws OutOfMemory.
  std::vector<T> to_host(Context& ctx) const {
    std::vector<T> host = host_vector<T>(size());
    copy_bytes_to_host(ctx, host.data(), data(), memory_.bytes());
    return host;
  }

  /// Makes it `size` uninitialised elements; what it held is freed first. Does nothing when it has that size already.
  void resize(Context& ctx, std::size_t size) {
    if (size == this->size()) return;
    *this = Buffer();
    *this = Buffer(ctx, size);
  }

  /// As of a std::vector, but for where the elements are.
  T* data() { return static_cast<T*>(memory_.data()); }
  const T* data() const { return static_cast<const T*>(memory_.data()); }
  std::size_t size() const { return memory_.bytes() / sizeof(T); }
  /// All elements.
  View<T> view() { return {data(), size()}; }
  View<const T> view() const { return {data(), size()}; }
  operator View<T>() { return view(); }              // NOLINT: a buffer is passed where a view is asked for
  operator View<const T>() const { return view(); }  // NOLINT

 private:
  Memory memory_;
};

}  // namespace dsasrgs
