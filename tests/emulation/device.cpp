// SPDX-License-Identifier: Apache-2.0
// The CUDA runtime's errors, devices, memory and copies.

#include <array>
#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "device_memory.hpp"
#include "execution.hpp"
#include "stream.hpp"

namespace emulation {

struct Pool {
  int device;
};
namespace {

/// Pinned host memory, and the stream of the last copy to it that nobody has waited for.
struct Pinned {
  std::size_t bytes;
  Stream* copying = nullptr;
};
std::mutex pinned_mutex;
std::map<char*, Pinned> pinned_blocks;

bool is_pinned(const void* p) {
  const std::lock_guard<std::mutex> lock(pinned_mutex);
  auto block = pinned_blocks.upper_bound(static_cast<char*>(const_cast<void*>(p)));
  if (block == pinned_blocks.begin()) return false;
  --block;
  return p < block->first + block->second.bytes;
}
void note_copy(void* to, Stream* stream) {
  const std::lock_guard<std::mutex> lock(pinned_mutex);
  for (auto& [start, block] : pinned_blocks)
    if (to >= start && to < start + block.bytes) block.copying = stream;
}
}  // namespace

void note_wait(const Stream* stream) {
  const std::lock_guard<std::mutex> lock(pinned_mutex);
  for (auto& [start, block] : pinned_blocks)
    if (block.copying == stream) block.copying = nullptr;
}

namespace {

/// Until one fails; below 0: none does.
std::atomic<long> allocations_left{-1};
bool allocation_fails() { return allocations_left.load() >= 0 && allocations_left.fetch_sub(1) == 0; }

thread_local cudaError_t last_error = cudaSuccess;
thread_local std::string last_message;
thread_local int current_device = 0;

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

cudaError_t require_current(cudaStream_t stream, const char* what) {
  if (stream->device == current_device) return cudaSuccess;
  return fail(cudaErrorInvalidResourceHandle, std::string(what) + " on a stream of device " +
                                                  std::to_string(stream->device) + " while device " +
                                                  std::to_string(current_device) + " is current");
}

cudaError_t kernel_image() {
  return device(current_device).kernel_image ? cudaSuccess : fail(cudaErrorNoKernelImageForDevice, "no kernel image");
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
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int index) {
  const emulation::Device& d = device(index);
  *value = attribute == cudaDevAttrMemoryPoolsSupported ? d.memory_pools : d.compute_capability;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int index) {
  *p = {"emulated on the host",
        device(index).compute_capability,
        0,
        static_cast<int>(2),
        std::size_t{8} << 30,
        227 * 1024};
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
  return submit(stream, {Node::Kind::release, 0, [data] {
                           return DeviceMemory::instance().release(data)
                                      ? cudaSuccess
                                      : fail(cudaErrorInvalidValue, "cudaFreeAsync of an unknown pointer");
                         }});
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
  Stream* copying = nullptr;
  {
    const std::lock_guard<std::mutex> lock(pinned_mutex);
    const auto it = pinned_blocks.find(static_cast<char*>(data));
    if (it == pinned_blocks.end()) return fail(cudaErrorInvalidValue, "cudaFreeHost of an unknown pointer");
    copying = it->second.copying;
    if (copying != nullptr) ++device(copying->device).early_frees;
    pinned_blocks.erase(it);
  }
  if (copying != nullptr) wait_for(copying);  // here it is only counted
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
  const bool pageable = to_device != from_device && !is_pinned(to_device ? from : to);
  if (stream->graph() != nullptr && pageable)
    return fail(cudaErrorStreamCaptureUnsupported,
                "cudaMemcpyAsync of pageable memory while the stream is being captured");
  const auto copy = [=](const void* source) {
    const DeviceAccess access;
    std::memmove(to, source, bytes);
    return cudaSuccess;
  };
  if (!to_device) note_copy(to, stream);
  if (pageable && !to_device) {  // the call returns when the bytes are there
    const cudaError_t status = wait_for(stream);
    return status == cudaSuccess ? copy(from) : status;
  }
  if (pageable && is_deferred()) {  // the bytes as they are now
    const auto* first = static_cast<const char*>(from);
    return submit(stream, {Node::Kind::copy, bytes,
                           [copy, now = std::vector<char>(first, first + bytes)] { return copy(now.data()); }});
  }
  if (!to_device && is_deferred() && stream->graph() == nullptr) std::memset(to, 0xff, bytes);
  return submit(stream, {Node::Kind::copy, bytes, [copy, from] { return copy(from); }});
}
void emulation::expect_pinned_write(void* to, std::size_t bytes, cudaStream_t stream) {
  note_copy(to, stream);
  if (is_deferred()) std::memset(to, 0xff, bytes);
}
cudaError_t cudaMemsetAsync(void* data, int value, std::size_t bytes, cudaStream_t stream) {
  if (const cudaError_t e = require_current(stream, "cudaMemsetAsync"); e != cudaSuccess) return e;
  if (!DeviceMemory::instance().owns(data, bytes))
    return fail(cudaErrorInvalidValue, "cudaMemsetAsync of " + std::to_string(bytes) + " bytes outside an allocation");
  return submit(stream, {Node::Kind::set, bytes, [=] {
                           const DeviceAccess access;
                           std::memset(data, value, bytes);
                           return cudaSuccess;
                         }});
}
