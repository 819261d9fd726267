// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Where operators run. There is no global state: a Context is the first argument of every operator, and on CUDA the
/// calling thread's current device, the device's default memory pool and a caller's streams are left as they are found.

#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "dsasrgs/export.hpp"

namespace dsasrgs::cuda {
class Device;
}

namespace DSASRGS_API dsasrgs {

/// The machine an operator runs on.
enum class Backend { cpu, cuda };

/// The CUDA device of a context, and the stream it submits to.
struct CudaOptions {
  int device = 0;
  /// A cudaStream_t of that device, which must outlive the context and is not destroyed by it. It must allow capture:
  /// not the legacy default stream. Null: the context makes a stream of its own, which does not wait for the default
  /// stream.
  void* stream = nullptr;
};

/// Backend, device, thread count and log sink of a computation. Neither copyable nor movable, because what is made with
/// a Context keeps its address; it must outlive all of that. One Context is used by one thread at a time, and it need
/// not always be the same thread.
class Context {
 public:
  /// CPU backend on `threads` OpenMP threads; 0 means all the machine grants. Results are bit-identical for any
  /// thread count. Throws InvalidArgument if threads is not in 0…1024.
  static Context cpu(int threads = 0);
  /// CUDA backend. Buffers live in a memory pool of the context's own, which keeps what is freed until the context
  /// ends. Throws BackendUnavailable where the library has no CUDA backend or no kernels for the device, and the
  /// machine no such device or the device no memory pools; InvalidArgument for a stream of another device.
  static Context cuda(const CudaOptions&);
  static Context cuda(int device = 0) { return cuda(CudaOptions{device, nullptr}); }

  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context();

  /// Which of the two it is.
  Backend backend() const noexcept;
  /// OpenMP threads used by CPU loops, at least 1.
  int threads() const noexcept;
  /// The stream work is submitted to, a cudaStream_t; null on the CPU.
  void* stream() const noexcept;
  /// The CUDA device's index; −1 on the CPU.
  int device() const noexcept;
  /// Bytes that are free on the CUDA device; 0 on the CPU. Throws CudaError.
  std::size_t free_device_memory() const;
  /// For the library's own memory and graphs; null on the CPU.
  cuda::Device* cuda_device() const noexcept;
  /// The machine in words: the CPU's thread count, or the CUDA device's name.
  const std::string& device_name() const noexcept;
  /// Whether operators return before their work is done.
  bool asynchronous() const noexcept { return backend() != Backend::cpu; }
  /// Waits for all work submitted through this context; on the CPU it returns at once. Throws CudaError when any of it
  /// failed.
  void synchronize();

  /// Jobs that go through many views, moments or slices and take no token or callback of their own throw Cancelled soon
  /// after a stop is requested, from any thread: simulation, FDK (and with it a Reconstructor that begins),
  /// vessel_volume, vessel_line_integrals, reproject_volume, Renderer::voxelize_mean, and a NetworkTrainer's sources,
  /// steps and validation. What they have made so far is gone, but for a NetworkTrainer's steps. Default: nothing stops
  /// them.
  void set_stop(std::stop_token);
  /// Throws Cancelled, "JOB: stopped, as the caller asked", when a stop was requested. From any thread.
  void throw_if_stopped(const char* job) const;

  /// Receives one-line messages without a line end. Default: they are dropped.
  using LogSink = std::function<void(std::string_view)>;
  void set_log(LogSink sink);
  void log(std::string_view message) const;

 private:
  struct State;
  explicit Context(std::unique_ptr<State>);
  std::unique_ptr<State> state_;
};

}  // namespace dsasrgs
