// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <utility>

#include "common/device.hpp"
#include "common/launch.cuh"

namespace dsasrgs::cuda {

namespace {

cudaStream_t as_stream(void* stream) { return static_cast<cudaStream_t>(stream); }
cudaEvent_t as_event(void* event) { return static_cast<cudaEvent_t>(event); }
cudaMemPool_t as_pool(void* pool) { return static_cast<cudaMemPool_t>(pool); }

std::string device_text(int device) { return "CUDA device " + std::to_string(device); }

/// Its attributes can be had where the build holds kernels for a device.
__global__ void any_kernel() {}

struct PinnedWrites {
  struct {
    std::uint32_t* to;
    const std::uint32_t* from;
    std::size_t words;
  } write[kMostPinnedWrites];
  std::size_t count;
};
/// One warp. Pinned memory has one address for host and device.
__global__ void write_words(const PinnedWrites all) {
  for (std::size_t w = 0; w < all.count; ++w)
    for (std::size_t i = threadIdx.x; i < all.write[w].words; i += 32) all.write[w].to[i] = all.write[w].from[i];
}

void require_device(int device) {
  int count = 0;
  const cudaError_t found = cudaGetDeviceCount(&count);
  if (found != cudaSuccess || count == 0) {
    const std::string reason = found != cudaSuccess ? cudaGetErrorString(found) : "no device";
    cudaGetLastError();
    throw BackendUnavailable("CUDA: this machine has no usable device (" + reason + ")");
  }
  if (device < 0 || device >= count)
    throw BackendUnavailable(device_text(device) + ": this machine has " + std::to_string(count));
}

/// What every buffer and kernel needs; the device is current.
void require_abilities(int device) {
  int has_pools = 0;
  check(cudaDeviceGetAttribute(&has_pools, cudaDevAttrMemoryPoolsSupported, device), "cudaDeviceGetAttribute");
  if (has_pools == 0) throw BackendUnavailable(device_text(device) + ": it has no memory pools (cudaMallocAsync)");
  cudaFuncAttributes attributes;
  if (const cudaError_t found = cudaFuncGetAttributes(&attributes, any_kernel); found != cudaSuccess) {
    const std::string reason = cudaGetErrorString(found);
    cudaGetLastError();
    throw BackendUnavailable(device_text(device) + ": this build of dsasrgs has no kernels for it (" + reason + ")");
  }
}

void require_stream_of(int device, void* stream) {
  if (as_stream(stream) == cudaStreamLegacy)
    throw InvalidArgument(
        "Context::cuda: stream: expected a stream that can be captured, found the legacy default "
        "stream");
#if CUDART_VERSION >= 12080
  int of_stream = device;
  check(cudaStreamGetDevice(as_stream(stream), &of_stream), "cudaStreamGetDevice");
  if (of_stream != device)
    throw InvalidArgument("Context::cuda: stream: expected a stream of device " + std::to_string(device) +
                          ", found one of device " + std::to_string(of_stream));
#else
  (void)device;
#endif
}

cudaMemPool_t make_pool(int device) {
  cudaMemPoolProps props{};
  props.allocType = cudaMemAllocationTypePinned;
  props.location.type = cudaMemLocationTypeDevice;
  props.location.id = device;
  cudaMemPool_t pool;
  check(cudaMemPoolCreate(&pool, &props), "cudaMemPoolCreate");
  std::uint64_t keep_everything = UINT64_MAX;
  if (const cudaError_t set = cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep_everything);
      set != cudaSuccess) {
    cudaMemPoolDestroy(pool);
    check(set, "cudaMemPoolSetAttribute");
  }
  return pool;
}

}  // namespace

Device::Device(const CudaOptions& options)
    : index_(options.device), stream_(options.stream), owns_stream_(options.stream == nullptr) {
  require_device(index_);
  const OnDevice current(index_);
  require_abilities(index_);
  if (!owns_stream_) require_stream_of(index_, stream_);
  pool_ = make_pool(index_);
  if (!owns_stream_) return;
  cudaStream_t stream;
  if (const cudaError_t made = cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking); made != cudaSuccess) {
    cudaMemPoolDestroy(as_pool(pool_));
    check(made, "cudaStreamCreate");
  }
  stream_ = stream;
}

Device::~Device() {
  const OnDevice current(index_);
  free_late();
  // CUDA keeps both until the work that was submitted is done.
  cudaMemPoolDestroy(as_pool(pool_));
  if (begin_ != nullptr) cudaEventDestroy(as_event(begin_));
  if (end_ != nullptr) cudaEventDestroy(as_event(end_));
  if (branch_ != nullptr) cudaStreamDestroy(as_stream(branch_));
  if (owns_stream_) cudaStreamDestroy(as_stream(stream_));
}

std::string Device::name() const {
  cudaDeviceProp p;
  check(cudaGetDeviceProperties(&p, index_), "cudaGetDeviceProperties");
  return std::string(p.name) + ", compute capability " + std::to_string(p.major) + "." + std::to_string(p.minor) +
         ", " + std::to_string(p.multiProcessorCount) + " multiprocessors";
}

std::size_t Device::free_bytes() const {
  const OnDevice current(index_);
  std::size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  return free;
}

void Device::synchronize() {
  const OnDevice current(index_);
  check(cudaStreamSynchronize(as_stream(stream_)), "cudaStreamSynchronize");
}

bool Device::capturing() const noexcept {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  return cudaStreamIsCapturing(as_stream(stream_), &status) == cudaSuccess && status != cudaStreamCaptureStatusNone;
}

void* Device::allocate(std::size_t bytes) {
  const OnDevice current(index_);
  if (capturing())
    throw CudaError("CUDA device memory: " + std::to_string(bytes) +
                    " bytes were asked for while the stream is being captured");
  free_late();
  void* data = nullptr;
  const cudaError_t status = cudaMallocFromPoolAsync(&data, bytes, as_pool(pool_), as_stream(stream_));
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    std::size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    throw OutOfMemory("CUDA device memory: " + std::to_string(bytes) + " bytes were needed, " + std::to_string(free) +
                      " of " + std::to_string(total) + " are free");
  }
  check(status, "cudaMallocFromPoolAsync");
  return data;
}

void Device::release(void* data) noexcept {
  const OnDevice current(index_);
  if (!capturing()) {
    cudaFreeAsync(data, as_stream(stream_));
    return;
  }
  try {
    released_in_capture_.push_back(data);
  } catch (const std::bad_alloc&) {  // it goes with the pool
  }
}

bool Device::free_late() noexcept {
  const bool any = !released_in_capture_.empty();
  for (void* data : released_in_capture_) cudaFreeAsync(data, as_stream(stream_));
  released_in_capture_.clear();
  return any;
}

void Device::copy_from_host(void* device, const void* host, std::size_t bytes) {
  const OnDevice current(index_);
  check(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, as_stream(stream_)), "copy to the device");
  synchronize();
}
void Device::copy_to_host(void* host, const void* device, std::size_t bytes) {
  const OnDevice current(index_);
  check(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, as_stream(stream_)), "copy from the device");
  synchronize();
}
void Device::zero(void* device, std::size_t bytes) {
  const OnDevice current(index_);
  check(cudaMemsetAsync(device, 0, bytes, as_stream(stream_)), "cudaMemsetAsync");
}

void* Device::allocate_pinned(std::size_t bytes) {
  const OnDevice current(index_);
  void* data = nullptr;
  const cudaError_t status = cudaMallocHost(&data, bytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    throw OutOfMemory("pinned host memory: " + std::to_string(bytes) + " bytes were needed and could not be had");
  }
  check(status, "cudaMallocHost");
  return data;
}
void Device::release_pinned(void* data) noexcept {
  const OnDevice current(index_);
  cudaStreamSynchronize(as_stream(stream_));  // cudaFreeHost does not promise to wait
  cudaFreeHost(data);
}
void Device::side_by_side(const std::function<void()>& first, const std::function<void()>& second) {
  const bool can_fork = capturing() && end_ != nullptr;
  if (!can_fork) {
    if (!capturing()) make_branch();
    first();
    second();
    return;
  }
  const OnDevice current(index_);
  check(cudaEventRecord(as_event(begin_), as_stream(stream_)), "cudaEventRecord");
  check(cudaStreamWaitEvent(as_stream(branch_), as_event(begin_), 0), "cudaStreamWaitEvent");
  first();
  const auto swap_streams = [this](void*) { std::swap(stream_, branch_); };
  {
    swap_streams(nullptr);
    const std::unique_ptr<void, decltype(swap_streams)> back(this, swap_streams);
    second();
  }
  check(cudaEventRecord(as_event(end_), as_stream(branch_)), "cudaEventRecord");
  check(cudaStreamWaitEvent(as_stream(stream_), as_event(end_), 0), "cudaStreamWaitEvent");
}

void Device::make_branch() {
  const OnDevice current(index_);
  const auto make_event = [](void*& event) {
    cudaEvent_t made = nullptr;
    if (event == nullptr) check(cudaEventCreateWithFlags(&made, cudaEventDisableTiming), "cudaEventCreate");
    if (event == nullptr) event = made;
  };
  if (branch_ == nullptr) {
    cudaStream_t made = nullptr;
    check(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking), "cudaStreamCreate");
    branch_ = made;
  }
  make_event(begin_);
  make_event(end_);
}

void* Device::record_event() {
  const OnDevice current(index_);
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, cudaEventDefault), "cudaEventCreate");
  if (const cudaError_t recorded = cudaEventRecord(event, as_stream(stream_)); recorded != cudaSuccess) {
    cudaEventDestroy(event);
    check(recorded, "cudaEventRecord");
  }
  return event;
}
void Device::forget_event(void* event) noexcept { cudaEventDestroy(static_cast<cudaEvent_t>(event)); }
double Device::seconds_between(void* begin, void* end) const {
  const OnDevice current(index_);
  float ms = 0;
  check(cudaEventElapsedTime(&ms, static_cast<cudaEvent_t>(begin), static_cast<cudaEvent_t>(end)),
        "cudaEventElapsedTime");
  return 1e-3 * static_cast<double>(ms);
}

void write_to_pinned(const Context& ctx, std::span<const PinnedWrite> writes) {
  PinnedWrites all{};
  for (const PinnedWrite& w : writes.first(std::min(writes.size(), kMostPinnedWrites))) {
    all.write[all.count++] = {static_cast<std::uint32_t*>(w.pinned), static_cast<const std::uint32_t*>(w.device),
                              w.bytes / sizeof(std::uint32_t)};
#if !defined(__CUDACC__)
    emulation::expect_pinned_write(w.pinned, w.bytes, stream_of(ctx));
#endif
  }
  launch(ctx, "write_to_pinned", {dim3(1), dim3(32)}, write_words, all);
}

Graph::~Graph() {
  if (executable_ != nullptr) cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(executable_));
}

void Graph::submit(Device& device, const std::function<void()>& body) {
  const OnDevice current(device.index());
  const cudaStream_t stream = as_stream(device.stream());
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  cudaGraph_t graph = nullptr;
  try {
    body();
  } catch (...) {
    if (cudaStreamEndCapture(stream, &graph) == cudaSuccess) cudaGraphDestroy(graph);
    cudaGetLastError();
    device.free_late();
    throw;
  }
  check(cudaStreamEndCapture(stream, &graph), "cudaStreamEndCapture");
  if (device.free_late()) {
    cudaGraphDestroy(graph);
    throw CudaError("CUDA device memory was freed while the stream was being captured");
  }
  auto executable = static_cast<cudaGraphExec_t>(executable_);
  cudaGraphExecUpdateResultInfo result{};
  if (executable != nullptr && cudaGraphExecUpdate(executable, graph, &result) != cudaSuccess) {
    cudaGetLastError();
    cudaGraphExecDestroy(executable);
    executable = nullptr;
  }
  const cudaError_t made = executable != nullptr ? cudaSuccess : cudaGraphInstantiate(&executable, graph, 0);
  executable_ = executable;
  cudaGraphDestroy(graph);
  check(made, "cudaGraphInstantiate");
  check(cudaGraphLaunch(executable, stream), "cudaGraphLaunch");
}

}  // namespace dsasrgs::cuda
