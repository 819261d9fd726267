#pragma once
/// @file
/// Buffer owns memory where a Context lives; View is a pointer and a size, passed by value.

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "dsasrgs/context.hpp"

namespace dsasrgs {

/// Non-owning range of elements in the memory of some context. View<T> converts to View<const T>. Its members are
/// constexpr, so CUDA kernels may call them too.
template <class T>
class View {
 public:
  constexpr View() = default;
  constexpr View(T* data, std::size_t size) : data_(data), size_(size) {}
  template <class U, class = std::enable_if_t<std::is_same_v<const U, T>>>
  constexpr View(View<U> other) : data_(other.data()), size_(other.size()) {}  // NOLINT: implicit on purpose

  constexpr T* data() const { return data_; }
  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  /// Element access: on the host only for memory of a CPU context.
  constexpr T& operator[](std::size_t i) const { return data_[i]; }
  constexpr T* begin() const { return data_; }
  constexpr T* end() const { return data_ + size_; }
  /// Elements [offset, offset + count).
  constexpr View subview(std::size_t offset, std::size_t count) const { return {data_ + offset, count}; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

/// A view of a std::vector (host memory; usable with a CPU context).
template <class T>
View<T> view_of(std::vector<T>& v) {
  return {v.data(), v.size()};
}
template <class T>
View<const T> view_of(const std::vector<T>& v) {
  return {v.data(), v.size()};
}

/// Untyped, move-only memory of a context; the part of Buffer that is not a template.
class Memory {
 public:
  Memory() = default;
  /// Uninitialised, 64-byte aligned. Throws OutOfMemory.
  Memory(Context&, std::size_t bytes);
  Memory(Memory&& o) noexcept
      : data_(std::exchange(o.data_, nullptr)), bytes_(std::exchange(o.bytes_, 0)), stream_(o.stream_) {}
  Memory& operator=(Memory&& o) noexcept {
    std::swap(data_, o.data_);
    std::swap(bytes_, o.bytes_);
    std::swap(stream_, o.stream_);
    return *this;
  }
  ~Memory();
  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
  void* stream_ = nullptr;  // of a CUDA context; null: host memory
};

/// Copies between host memory and a context's memory; returns when the copy is done.
void copy_bytes_from_host(Context&, void* destination, const void* source, std::size_t bytes);
void copy_bytes_to_host(Context&, void* destination, const void* source, std::size_t bytes);
/// Sets bytes of a context's memory to zero, in stream order.
void zero_bytes(Context&, void* destination, std::size_t bytes);

/// Owns `size` elements where the context lives. Move-only; a new buffer is uninitialised.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() = default;
  /// Uninitialised. Throws OutOfMemory.
  Buffer(Context& ctx, std::size_t size) : memory_(ctx, size * sizeof(T)), size_(size) {}
  /// All elements zero (bitwise).
  static Buffer zeros(Context& ctx, std::size_t size) {
    Buffer b(ctx, size);
    zero_bytes(ctx, b.data(), size * sizeof(T));
    return b;
  }
  /// A copy of host data.
  static Buffer from_host(Context& ctx, View<const T> host) {
    Buffer b(ctx, host.size());
    copy_bytes_from_host(ctx, b.data(), host.data(), host.size() * sizeof(T));
    return b;
  }
  static Buffer from_host(Context& ctx, const std::vector<T>& host) { return from_host(ctx, view_of(host)); }
  /// A host copy.
  std::vector<T> to_host(Context& ctx) const {
    std::vector<T> host(size_);
    copy_bytes_to_host(ctx, host.data(), data(), size_ * sizeof(T));
    return host;
  }

  /// Makes it `size` uninitialised elements; what it held is freed first. Does nothing when it has that size already.
  void resize(Context& ctx, std::size_t size) {
    if (size == size_) return;
    *this = Buffer();
    *this = Buffer(ctx, size);
  }

  T* data() { return static_cast<T*>(memory_.data()); }
  const T* data() const { return static_cast<const T*>(memory_.data()); }
  std::size_t size() const { return size_; }
  View<T> view() { return {data(), size_}; }
  View<const T> view() const { return {data(), size_}; }
  operator View<T>() { return view(); }              // NOLINT: a buffer is passed where a view is asked for
  operator View<const T>() const { return view(); }  // NOLINT

 private:
  Memory memory_;
  std::size_t size_ = 0;
};

}  // namespace dsasrgs
