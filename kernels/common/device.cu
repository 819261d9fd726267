#include "common/device.hpp"
#include "common/launch.cuh"

namespace dsasrgs::cuda {

namespace {

cudaStream_t as_stream(void* stream) { return static_cast<cudaStream_t>(stream); }

}  // namespace

void* create_stream(int device) {
  int count = 0;
  const cudaError_t found = cudaGetDeviceCount(&count);
  if (found != cudaSuccess || count == 0) {
    const std::string reason = found != cudaSuccess ? cudaGetErrorString(found) : "no device";
    cudaGetLastError();
    throw BackendUnavailable("CUDA: this machine has no usable device (" + reason + ")");
  }
  if (device < 0 || device >= count)
    throw BackendUnavailable("CUDA device " + std::to_string(device) + ": this machine has " + std::to_string(count));
  check(cudaSetDevice(device), "cudaSetDevice");
  cudaMemPool_t pool;
  check(cudaDeviceGetDefaultMemPool(&pool, device), "cudaDeviceGetDefaultMemPool");
  std::uint64_t keep_everything = UINT64_MAX;
  check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep_everything), "cudaMemPoolSetAttribute");
  cudaStream_t stream;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");
  return stream;
}

void destroy_stream(void* stream) noexcept { cudaStreamDestroy(as_stream(stream)); }

void synchronize(void* stream) { check(cudaStreamSynchronize(as_stream(stream)), "cudaStreamSynchronize"); }

std::string device_name(int device) {
  cudaDeviceProp p;
  check(cudaGetDeviceProperties(&p, device), "cudaGetDeviceProperties");
  return std::string(p.name) + ", compute capability " + std::to_string(p.major) + "." + std::to_string(p.minor) +
         ", " + std::to_string(p.multiProcessorCount) + " multiprocessors";
}

void* allocate(void* stream, std::size_t bytes) {
  void* data = nullptr;
  const cudaError_t status = cudaMallocAsync(&data, bytes, as_stream(stream));
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    std::size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    throw OutOfMemory("CUDA device memory: " + std::to_string(bytes) + " bytes were needed, " + std::to_string(free) +
                      " of " + std::to_string(total) + " are free");
  }
  check(status, "cudaMallocAsync");
  return data;
}

void release(void* stream, void* data) noexcept { cudaFreeAsync(data, as_stream(stream)); }

void copy_from_host(void* stream, void* device, const void* host, std::size_t bytes) {
  check(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, as_stream(stream)), "copy to the device");
  synchronize(stream);
}
void copy_to_host(void* stream, void* host, const void* device, std::size_t bytes) {
  check(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, as_stream(stream)), "copy from the device");
  synchronize(stream);
}
void zero(void* stream, void* device, std::size_t bytes) {
  check(cudaMemsetAsync(device, 0, bytes, as_stream(stream)), "cudaMemsetAsync");
}

void* allocate_pinned(std::size_t bytes) {
  void* data = nullptr;
  check(cudaMallocHost(&data, bytes), "cudaMallocHost");
  return data;
}
void release_pinned(void* data) noexcept { cudaFreeHost(data); }
void copy_to_pinned(void* stream, void* pinned, const void* device, std::size_t bytes) {
  check(cudaMemcpyAsync(pinned, device, bytes, cudaMemcpyDeviceToHost, as_stream(stream)), "copy from the device");
}

Graph::~Graph() {
  if (executable_ != nullptr) cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(executable_));
}

void Graph::submit(void* stream, const std::function<void()>& body) {
  check(cudaStreamBeginCapture(as_stream(stream), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  cudaGraph_t graph = nullptr;
  try {
    body();
  } catch (...) {
    if (cudaStreamEndCapture(as_stream(stream), &graph) == cudaSuccess) cudaGraphDestroy(graph);
    cudaGetLastError();
    throw;
  }
  check(cudaStreamEndCapture(as_stream(stream), &graph), "cudaStreamEndCapture");
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
  check(cudaGraphLaunch(executable, as_stream(stream)), "cudaGraphLaunch");
}

}  // namespace dsasrgs::cuda
