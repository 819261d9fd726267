// SPDX-License-Identifier: Apache-2.0
// The CUDA runtime calls that do not run kernels.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "device_memory.hpp"
#include "execution.hpp"

namespace emulation {

struct Graph {
  std::vector<std::function<cudaError_t()>> work;
};
struct GraphExec {
  std::vector<std::function<cudaError_t()>> work;
};
struct Stream {
  int device;
  std::unique_ptr<Graph> capturing;
};
struct Pool {
  int device;
};
struct Event {
  std::chrono::steady_clock::time_point time;
};

namespace {

/// Pinned host memory, and the stream of the last copy to it that nobody has waited for.
struct Pinned {
  std::size_t bytes;
  Stream* copying = nullptr;
};
std::mutex pinned_mutex;
std::map<char*, Pinned> pinned_blocks;

void note_copy(void* to, Stream* stream) {
  const std::lock_guard<std::mutex> lock(pinned_mutex);
  for (auto& [start, block] : pinned_blocks)
    if (to >= start && to < start + block.bytes) block.copying = stream;
}
void note_wait(const Stream* stream) {
  const std::lock_guard<std::mutex> lock(pinned_mutex);
  for (auto& [start, block] : pinned_blocks)
    if (block.copying == stream) block.copying = nullptr;
}

/// Until one fails; below 0: none does.
std::atomic<long> allocations_left{-1};
bool allocation_fails() { return allocations_left.load() >= 0 && allocations_left.fetch_sub(1) == 0; }

thread_local cudaError_t last_error = cudaSuccess;
thread_local std::string last_message;
thread_local int current_device = 0;

/// What CUDA asks of a launch, a memset or an event: the stream is one of the current device.
cudaError_t require_current(cudaStream_t stream, const char* what) {
  if (stream->device == current_device) return cudaSuccess;
  return fail(cudaErrorInvalidResourceHandle, std::string(what) + " on a stream of device " +
                                                  std::to_string(stream->device) + " while device " +
                                                  std::to_string(current_device) + " is current");
}

cudaError_t submit(cudaStream_t stream, std::function<cudaError_t()> work) {
  if (stream->capturing == nullptr) return work();
  stream->capturing->work.push_back(std::move(work));
  return cudaSuccess;
}

cudaError_t forbidden_in_capture(cudaStream_t stream, const char* what) {
  if (stream->capturing == nullptr) return cudaSuccess;
  return fail(cudaErrorStreamCaptureUnsupported, std::string(what) + " while the stream is being captured");
}

}  // namespace

DeviceAccess::DeviceAccess() { DeviceMemory::instance().open(); }
DeviceAccess::~DeviceAccess() { DeviceMemory::instance().close(); }

cudaError_t fail(cudaError_t code, std::string message) {
  last_error = code;
  last_message = "emulated device: " + std::move(message);
  return code;
}

void fail_allocation(long which) { allocations_left = which; }
long disarm_allocations() { return allocations_left.exchange(-1); }

Device& device(int index) {
  static std::array<Device, kDevices> devices;
  return devices.at(static_cast<std::size_t>(index));
}

cudaError_t kernel_image() {
  return device(current_device).kernel_image ? cudaSuccess : fail(cudaErrorNoKernelImageForDevice, "no kernel image");
}

cudaError_t submit_kernel(const cudaLaunchConfig_t& config, std::function<void()> thread_body) {
  if (const cudaError_t e = require_current(config.stream, "launch"); e != cudaSuccess) return e;
  const dim3 g = config.gridDim, b = config.blockDim;
  if (g.x == 0 || g.y == 0 || g.z == 0 || g.y > 65535 || g.z > 65535 || b.x * b.y * b.z == 0 ||
      b.x * b.y * b.z > 1024 || config.dynamicSmemBytes > 227 * 1024)
    return fail(cudaErrorInvalidValue, "launch of " + std::to_string(g.x) + " x " + std::to_string(g.y) + " x " +
                                           std::to_string(g.z) + " blocks of " + std::to_string(b.x * b.y * b.z) +
                                           " threads and " + std::to_string(config.dynamicSmemBytes) +
                                           " bytes of shared memory");
  return submit(config.stream, [config, body = std::move(thread_body)] {
    const std::string error = run_grid(config, body);
    return error.empty() ? cudaSuccess : fail(cudaErrorLaunchFailure, error);
  });
}

}  // namespace emulation

using namespace emulation;

const char* cudaGetErrorString(cudaError_t code) {
  if (code == cudaSuccess) return "no error";
  return last_message.c_str();
}
cudaError_t cudaPeekAtLastError() { return last_error; }
cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }

cudaError_t cudaGetDeviceCount(int* count) {
  *count = kDevices;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = current_device;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= kDevices) return fail(cudaErrorInvalidDevice, "there is no such device");
  current_device = device;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int index) {
  *value = device(index).memory_pools;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int) {
  *p = {"emulated on the host", 0, 0, static_cast<int>(2), std::size_t{8} << 30, 227 * 1024};
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *free = *total = std::size_t{8} << 30;
  return cudaSuccess;
}

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* props) {
  if (props->allocType != cudaMemAllocationTypePinned || props->location.type != cudaMemLocationTypeDevice)
    return fail(cudaErrorInvalidValue, "cudaMemPoolCreate: expected pinned memory of a device");
  *pool = new Pool{props->location.id};
  ++device((*pool)->device).pools;
  return cudaSuccess;
}
cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  --device(pool->device).pools;
  delete pool;
  return cudaSuccess;
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return cudaSuccess; }

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new Stream{current_device, nullptr};
  ++device(current_device).streams;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  --device(stream->device).streams;
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamGetDevice(cudaStream_t stream, int* device) {
  *device = stream->device;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  note_wait(stream);
  return forbidden_in_capture(stream, "cudaStreamSynchronize");
}

// As on a GPU, memory can be had while a stream is being captured; it would belong to the graph.
cudaError_t cudaMallocFromPoolAsync(void** data, std::size_t bytes, cudaMemPool_t pool, cudaStream_t stream) {
  if (const cudaError_t e = require_current(stream, "cudaMallocFromPoolAsync"); e != cudaSuccess) return e;
  if (pool->device != stream->device) return fail(cudaErrorInvalidValue, "the pool is of another device");
  *data = bytes > (std::size_t{8} << 30) || allocation_fails() ? nullptr
                                                               : DeviceMemory::instance().allocate(bytes, pool->device);
  return *data != nullptr ? cudaSuccess : fail(cudaErrorMemoryAllocation, "out of memory");
}
cudaError_t cudaFreeAsync(void* data, cudaStream_t stream) {
  if (const cudaError_t e = require_current(stream, "cudaFreeAsync"); e != cudaSuccess) return e;
  if (const cudaError_t e = forbidden_in_capture(stream, "cudaFreeAsync"); e != cudaSuccess) return e;
  return DeviceMemory::instance().release(data) ? cudaSuccess
                                                : fail(cudaErrorInvalidValue, "cudaFreeAsync of an unknown pointer");
}
cudaError_t cudaMalloc(void** data, std::size_t bytes) {
  *data = allocation_fails() ? nullptr : DeviceMemory::instance().allocate(bytes, current_device);
  return *data != nullptr ? cudaSuccess : fail(cudaErrorMemoryAllocation, "out of memory");
}
cudaError_t cudaFree(void* data) {
  return DeviceMemory::instance().release(data) ? cudaSuccess
                                                : fail(cudaErrorInvalidValue, "cudaFree of an unknown pointer");
}
cudaError_t cudaMallocHost(void** data, std::size_t bytes) {
  *data = allocation_fails() ? nullptr : std::malloc(bytes);
  if (*data == nullptr) return fail(cudaErrorMemoryAllocation, "out of host memory");
  const std::lock_guard<std::mutex> lock(pinned_mutex);
  pinned_blocks[static_cast<char*>(*data)] = {bytes};
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* data) {
  {
    const std::lock_guard<std::mutex> lock(pinned_mutex);
    const auto it = pinned_blocks.find(static_cast<char*>(data));
    if (it == pinned_blocks.end()) return fail(cudaErrorInvalidValue, "cudaFreeHost of an unknown pointer");
    if (it->second.copying != nullptr) ++device(it->second.copying->device).early_frees;
    pinned_blocks.erase(it);
  }
  std::free(data);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (DeviceMemory::instance().owns(to, bytes) != to_device ||
      DeviceMemory::instance().owns(from, bytes) != from_device)
    return fail(cudaErrorInvalidValue, "cudaMemcpyAsync of " + std::to_string(bytes) +
                                           " bytes: a pointer is not on the side its kind says, or too short");
  if (!to_device) note_copy(to, stream);
  return submit(stream, [=] {
    const DeviceAccess access;
    std::memmove(to, from, bytes);
    return cudaSuccess;
  });
}
cudaError_t cudaMemsetAsync(void* data, int value, std::size_t bytes, cudaStream_t stream) {
  if (const cudaError_t e = require_current(stream, "cudaMemsetAsync"); e != cudaSuccess) return e;
  if (!DeviceMemory::instance().owns(data, bytes))
    return fail(cudaErrorInvalidValue, "cudaMemsetAsync of " + std::to_string(bytes) + " bytes outside an allocation");
  return submit(stream, [=] {
    const DeviceAccess access;
    std::memset(data, value, bytes);
    return cudaSuccess;
  });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new Event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return submit(stream, [event] {
    event->time = std::chrono::steady_clock::now();
    return cudaSuccess;
  });
}
cudaError_t cudaEventQuery(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t from, cudaEvent_t to) {
  *ms = std::chrono::duration<float, std::milli>(to->time - from->time).count();
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (const cudaError_t e = forbidden_in_capture(stream, "cudaStreamBeginCapture"); e != cudaSuccess) return e;
  stream->capturing = std::make_unique<Graph>();
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (stream->capturing == nullptr) return fail(cudaErrorInvalidValue, "the stream is not being captured");
  *graph = stream->capturing.release();
  return cudaSuccess;
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  *status = stream->capturing != nullptr ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  *exec = new GraphExec{graph->work};
  return cudaSuccess;
}
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph, cudaGraphExecUpdateResultInfo*) {
  if (exec->work.size() != graph->work.size())
    return fail(cudaErrorGraphExecUpdateFailure, "the graph has changed its shape");
  exec->work = graph->work;
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  if (const cudaError_t e = require_current(stream, "cudaGraphLaunch"); e != cudaSuccess) return e;
  const DeviceAccess access;  // opened once for all of them
  for (const auto& work : exec->work)
    if (const cudaError_t e = work(); e != cudaSuccess) return e;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
