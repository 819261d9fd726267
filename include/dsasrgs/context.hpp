#pragma once
/// @file
/// Where operators run. There is no global state: a Context is the first argument of every operator.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace dsasrgs {

/// The machine an operator runs on.
enum class Backend { cpu, cuda };

/// Backend, device, thread count and log sink of a computation. Movable, not copyable; a Context must outlive the
/// buffers made with it. One Context is used by one thread at a time.
class Context {
 public:
  /// CPU backend on `threads` OpenMP threads; 0 means all the machine grants. Results are bit-identical for any
  /// thread count. Throws InvalidArgument if threads < 0.
  static Context cpu(int threads = 0);
  /// CUDA backend on a device. Throws BackendUnavailable where the library has no CUDA backend or the machine no
  /// such device.
  static Context cuda(int device = 0);

  Context(Context&&) noexcept;
  Context& operator=(Context&&) noexcept;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context();

  Backend backend() const noexcept;
  /// OpenMP threads used by CPU loops, at least 1.
  int threads() const noexcept;
  /// The stream work is submitted to, a cudaStream_t; null on the CPU.
  void* stream() const noexcept;
  /// The machine in words: the CPU's thread count, or the CUDA device's name.
  const std::string& device_name() const noexcept;
  /// Whether operators return before their work is done.
  bool asynchronous() const noexcept { return backend() != Backend::cpu; }
  /// Waits for all work submitted through this context; on the CPU it returns at once. Throws CudaError when any of it
  /// failed.
  void synchronize();

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
