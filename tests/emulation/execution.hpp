// SPDX-License-Identifier: Apache-2.0
#pragma once
// The CUDA execution model on the host: one fiber per CUDA thread, one host thread per running block.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "include/cuda_runtime.h"

namespace emulation {

/// In which order the threads of a block go on, and the blocks of a grid are started: results must not depend on it.
/// Shuffled: another order between any two barriers and for every launch, by the seed.
enum class Order { forward, reverse, shuffled };
void set_order(Order, std::uint64_t seed = 0);

/// Work is kept and done when somebody waits for its stream, as late as a GPU may do it; until then pinned memory that
/// a copy is on its way to holds NaN. Off: work is done when it is submitted.
void set_deferred(bool);

/// Shared memory of a fixed size starts as NaN for each block, too; what is asked for by the launch always does.
void poison_static_shared(bool);

/// Every n-th update of an instantiated graph fails, as CUDA allows it to; 0: none.
void fail_graph_updates(unsigned n);

/// Additions to memory by kernels between start and the result: how many, to how many addresses, the most to one of
/// them.
struct AtomicCounts {
  std::size_t additions = 0, addresses = 0, most = 0;
};
void start_counting_atomics();
AtomicCounts counted_atomics();

/// Runs a grid to its end. Returns an empty string, or what went wrong: a divergent barrier or collective.
std::string run_grid(const cudaLaunchConfig_t&, const std::function<void()>& thread_body);

inline constexpr int kDevices = 2;
/// What a test may change of an emulated device, and what there is on it. The default memory pool of a device cannot be
/// had: nothing here may use it.
struct Device {
  bool memory_pools = true, kernel_image = true;
  int compute_capability = 9;  ///< its major number: what a kernel chooses by
  int streams = 0, pools = 0;
  std::size_t blocks = 0, bytes = 0;  ///< memory that was allocated and not freed
  std::size_t most_bytes = 0;         ///< the largest that `bytes` has been; tests set it back
  std::size_t allocations = 0;        ///< ever made
  std::size_t graph_nodes = 0;        ///< of the graph that was launched last
  int early_frees = 0;  ///< of pinned memory that a copy was on its way to: nobody had waited for the stream
};
Device& device(int index);

/// From now on allocation `which` (0 is the next) of device or pinned memory fails, once, on either device.
void fail_allocation(long which);
/// Ends that; how many allocations were still to come before it. Below 0: it was reached.
long disarm_allocations();

/// Opens the memory of the emulated devices to the caller, as kernels and copies need; closed again (where the guard is
/// on) by the destructor, so that host code that reads device memory is caught.
class DeviceAccess {
 public:
  DeviceAccess();
  ~DeviceAccess();
  DeviceAccess(const DeviceAccess&) = delete;
  DeviceAccess& operator=(const DeviceAccess&) = delete;
};

/// Keeps a failure for cudaGetLastError / cudaGetErrorString.
cudaError_t fail(cudaError_t code, std::string message);

}  // namespace emulation
