#pragma once
// What context.cpp and buffer.cpp ask of a CUDA device; device.cu has the bodies. Handles are void* so that no CUDA
// header is needed here.

#include <cstddef>
#include <functional>
#include <string>

namespace dsasrgs::cuda {

/// A stream on a device. Throws BackendUnavailable when there is no such device or no driver.
void* create_stream(int device);
void destroy_stream(void* stream) noexcept;
/// Waits for a stream's work; throws CudaError with the failure of any of it.
void synchronize(void* stream);
/// "NVIDIA H100 80GB HBM3, compute capability 9.0, 132 multiprocessors".
std::string device_name(int device);

/// Stream-ordered memory from the device's pool, which keeps what was freed: one growing arena. Throws OutOfMemory.
void* allocate(void* stream, std::size_t bytes);
void release(void* stream, void* data) noexcept;
/// Copies return when they are done.
void copy_from_host(void* stream, void* device, const void* host, std::size_t bytes);
void copy_to_host(void* stream, void* host, const void* device, std::size_t bytes);
void zero(void* stream, void* device, std::size_t bytes);

/// Pinned host memory, for copies that nobody waits for.
void* allocate_pinned(std::size_t bytes);
void release_pinned(void* data) noexcept;
/// In stream order; nobody waits.
void copy_to_pinned(void* stream, void* pinned, const void* device, std::size_t bytes);

/// A sequence of launches as one CUDA graph. `submit` captures what `body` enqueues and launches it; while the sequence
/// keeps its shape the instantiated graph is only updated with the new arguments. body must not allocate, free or wait.
class Graph {
 public:
  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  ~Graph();
  void submit(void* stream, const std::function<void()>& body);

 private:
  void* executable_ = nullptr;
};

}  // namespace dsasrgs::cuda
