// SPDX-License-Identifier: Apache-2.0
#pragma once
// What contexts, buffers and submissions ask of a CUDA device; device.cu has the bodies. Handles are void* so that no
// CUDA header is needed here.

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "dsasrgs/context.hpp"

namespace dsasrgs::cuda {

/// A device as one context uses it: a stream, and a memory pool of its own, so that the process's other CUDA code keeps
/// its pool as it is. Every call makes the device current on the calling thread and puts back what was.
class Device {
 public:
  /// Throws as Context::cuda does.
  explicit Device(const CudaOptions&);
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device();

  int index() const noexcept { return index_; }
  void* stream() const noexcept { return stream_; }
  /// "NVIDIA H100 80GB HBM3, compute capability 9.0, 132 multiprocessors".
  std::string name() const;
  /// Of the device's memory, other processes' share left out.
  std::size_t free_bytes() const;
  /// Waits for the stream's work; throws CudaError with the failure of any of it.
  void synchronize();

  /// Stream-ordered memory of the pool, which keeps what was freed: one growing arena. Throws OutOfMemory, or CudaError
  /// while the stream is being captured: CUDA would make the memory a part of the graph.
  void* allocate(std::size_t bytes);
  /// While the stream is being captured the memory is kept until free_late().
  void release(void* data) noexcept;
  /// Frees what was released during a capture; whether there was any.
  bool free_late() noexcept;

  /// Copies return when they are done.
  void copy_from_host(void* device, const void* host, std::size_t bytes);
  void copy_to_host(void* host, const void* device, std::size_t bytes);
  void zero(void* device, std::size_t bytes);

  /// Pinned host memory, for copies that nobody waits for. Throws OutOfMemory.
  void* allocate_pinned(std::size_t bytes);
  /// Waits for the stream first: copies may still be under way.
  void release_pinned(void* data) noexcept;

  /// While the stream is being captured, what the two bodies submit becomes two branches of the graph; else the
  /// second's comes after the first's. The first call must not be in a capture for that.
  void side_by_side(const std::function<void()>& first, const std::function<void()>& second);

  /// An event at this place of the stream, to be forgotten.
  void* record_event();
  static void forget_event(void* event) noexcept;
  /// Of events that have come to pass.
  double seconds_between(void* begin, void* end) const;

 private:
  bool capturing() const noexcept;
  void make_branch();

  int index_;
  void* stream_;
  bool owns_stream_;
  void* pool_ = nullptr;
  void *branch_ = nullptr, *begin_ = nullptr, *end_ = nullptr;  ///< of side_by_side: a stream, two events
  std::vector<void*> released_in_capture_;
};

/// From the device's memory to pinned memory, whole 4-byte words.
struct PinnedWrite {
  void* pinned = nullptr;
  const void* device = nullptr;
  std::size_t bytes = 0;
};
inline constexpr std::size_t kMostPinnedWrites = 32;
/// In stream order, by one kernel for all, at most kMostPinnedWrites; nobody waits.
void write_to_pinned(const Context&, std::span<const PinnedWrite>);

/// A sequence of launches as one CUDA graph. `submit` captures what `body` enqueues and launches it; while the sequence
/// keeps its shape the instantiated graph is only updated with the new arguments. body must not allocate, free or wait:
/// each is CudaError, and nothing of the body is run.
class Graph {
 public:
  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  ~Graph();
  void submit(Device&, const std::function<void()>& body);

 private:
  void* executable_ = nullptr;
};

}  // namespace dsasrgs::cuda
