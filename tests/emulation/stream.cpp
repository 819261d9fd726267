// SPDX-License-Identifier: Apache-2.0
// The CUDA runtime's streams, launches, events and graphs.
#include "stream.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "execution.hpp"
#include "order.hpp"

namespace emulation {

namespace {

std::atomic<bool> deferred{false};
std::atomic<unsigned> failing_updates{0}, updates{0};

std::mutex shared_memory_mutex;
std::map<const void*, int> allowed_shared_memory;  // of kernels that asked for more than 48 KiB
constexpr std::size_t kSharedBytes = 48 * 1024;

bool may_have_shared_memory(const void* kernel, std::size_t bytes) {
  if (bytes <= kSharedBytes) return true;
  const std::lock_guard<std::mutex> lock(shared_memory_mutex);
  const auto it = allowed_shared_memory.find(kernel);
  return it != allowed_shared_memory.end() && bytes <= static_cast<std::size_t>(it->second);
}
}  // namespace

bool is_deferred() { return deferred; }
void set_deferred(bool on) { deferred = on; }
void fail_graph_updates(unsigned n) {
  failing_updates = n;
  updates = 0;
}

cudaError_t submit(cudaStream_t stream, Node node) {
  if (Graph* const graph = stream->graph(); graph != nullptr) {
    node.after = std::exchange(stream->last, {graph->nodes.size()});
    graph->nodes.push_back(std::move(node));
  } else if (deferred) {
    stream->waiting.push_back(std::move(node));
  } else {
    return node.run();
  }
  return cudaSuccess;
}

cudaError_t wait_for(cudaStream_t stream) {
  cudaError_t status = cudaSuccess;
  while (!stream->waiting.empty()) {
    const Node node = std::move(stream->waiting.front());
    stream->waiting.pop_front();
    if (status == cudaSuccess || node.kind == Node::Kind::release) {
      const cudaError_t done = node.run();
      if (status == cudaSuccess) status = done;
    }
  }
  return status;
}

cudaError_t forbidden_in_capture(cudaStream_t stream, const char* what) {
  if (stream->graph() == nullptr) return cudaSuccess;
  return fail(cudaErrorStreamCaptureUnsupported, std::string(what) + " while the stream is being captured");
}

cudaError_t allow_shared_memory(const void* kernel, int bytes) {
  if (bytes > 227 * 1024) return fail(cudaErrorInvalidValue, "more than 227 KiB of shared memory");
  const std::lock_guard<std::mutex> lock(shared_memory_mutex);
  allowed_shared_memory[kernel] = bytes;
  return cudaSuccess;
}

cudaError_t submit_kernel(const cudaLaunchConfig_t& config, const void* kernel, std::function<void()> thread_body) {
  if (const cudaError_t e = require_current(config.stream, "launch"); e != cudaSuccess) return e;
  const dim3 g = config.gridDim, b = config.blockDim;
  if (g.x == 0 || g.y == 0 || g.z == 0 || g.y > 65535 || g.z > 65535 || g.x > 0x7fffffffu || b.x * b.y * b.z == 0 ||
      b.x * b.y * b.z > 1024 || b.z > 64 || !may_have_shared_memory(kernel, config.dynamicSmemBytes))
    return fail(cudaErrorInvalidValue, "launch of " + std::to_string(g.x) + " x " + std::to_string(g.y) + " x " +
                                           std::to_string(g.z) + " blocks of " + std::to_string(b.x * b.y * b.z) +
                                           " threads and " + std::to_string(config.dynamicSmemBytes) +
                                           " bytes of shared memory");
  return submit(config.stream, {Node::Kind::kernel, 0, [config, body = std::move(thread_body)] {
                                  const std::string error = run_grid(config, body);
                                  return error.empty() ? cudaSuccess : fail(cudaErrorLaunchFailure, error);
                                }});
}

}  // namespace emulation

using namespace emulation;

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  int current = 0;
  cudaGetDevice(&current);
  *stream = new Stream{current, nullptr};
  ++device(current).streams;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  wait_for(stream);
  --device(stream->device).streams;
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamGetDevice(cudaStream_t stream, int* device) {
  *device = stream->device;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (const cudaError_t e = forbidden_in_capture(stream, "cudaStreamSynchronize"); e != cudaSuccess) return e;
  const cudaError_t status = wait_for(stream);
  note_wait(stream);
  return status;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new Event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  event->stream = stream;
  event->graph = stream->graph();
  if (event->graph != nullptr) {  // no node: what waits for it comes after what the stream has captured
    event->last = stream->last;
    return cudaSuccess;
  }
  return submit(stream, {Node::Kind::event, 0, [event] {
                           event->time = std::chrono::steady_clock::now();
                           return cudaSuccess;
                         }});
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (event->graph == nullptr || (stream->graph() != nullptr && stream->graph() != event->graph))
    return fail(cudaErrorInvalidValue, "cudaStreamWaitEvent beside a capture is not emulated");
  if (stream->graph() == nullptr) {
    stream->joined = event->graph;
    stream->last.clear();
    event->graph->joined.push_back(stream);
  }
  stream->last.insert(event->last.begin(), event->last.end());
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) { return cudaEventSynchronize(event); }
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return event->stream == nullptr ? cudaSuccess : wait_for(event->stream);
}
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
  stream->last.clear();
  return cudaSuccess;
}
namespace {
/// Whether every node comes before one of the last ones of the stream that began the capture.
bool is_joined(const Graph& graph, const Nodes& last) {
  Nodes seen, next = last;
  while (!next.empty()) {
    const std::size_t node = *next.begin();
    next.erase(next.begin());
    if (seen.insert(node).second) next.insert(graph.nodes[node].after.begin(), graph.nodes[node].after.end());
  }
  return seen.size() == graph.nodes.size();
}
}  // namespace
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (stream->capturing == nullptr) return fail(cudaErrorInvalidValue, "the stream is not being captured");
  for (Stream* other : stream->capturing->joined) other->joined = nullptr;
  *graph = stream->capturing.release();
  if (is_joined(**graph, stream->last)) return cudaSuccess;
  delete std::exchange(*graph, nullptr);
  return fail(cudaErrorStreamCaptureUnjoined, "the capture ended before what a branch of it has captured was joined");
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  *status = stream->graph() != nullptr ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  *exec = new GraphExec{graph->nodes};
  return cudaSuccess;
}
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph, cudaGraphExecUpdateResultInfo*) {
  const auto same = [](const Node& a, const Node& b) {
    return a.kind == b.kind && a.bytes == b.bytes && a.after == b.after;
  };
  if (!std::equal(exec->nodes.begin(), exec->nodes.end(), graph->nodes.begin(), graph->nodes.end(), same))
    return fail(cudaErrorGraphExecUpdateFailure, "the graph has changed its shape");
  if (const unsigned n = failing_updates; n > 0 && ++updates % n == 0)
    return fail(cudaErrorGraphExecUpdateFailure, "an update that is made to fail");
  exec->nodes = graph->nodes;
  return cudaSuccess;
}
namespace {
/// One that puts no node before those it comes after, and branches as set_order() asks for.
std::vector<std::size_t> order_of(const std::vector<Node>& nodes) {
  std::vector<std::size_t> order, ready, turns;
  std::vector<bool> done(nodes.size());
  Turns of_graph = Turns::of_launch();
  while (order.size() < nodes.size()) {
    ready.clear();
    for (std::size_t n = 0; n < nodes.size(); ++n)
      if (!done[n] && std::all_of(nodes[n].after.begin(), nodes[n].after.end(), [&](std::size_t b) { return done[b]; }))
        ready.push_back(n);
    of_graph.put_in_order(turns, ready.size());
    order.push_back(ready[turns.front()]);
    done[order.back()] = true;
  }
  return order;
}
}  // namespace
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  if (const cudaError_t e = require_current(stream, "cudaGraphLaunch"); e != cudaSuccess) return e;
  device(stream->device).graph_nodes = exec->nodes.size();
  const DeviceAccess access;  // opened once for all of them
  for (const std::size_t node : order_of(exec->nodes))
    if (const cudaError_t e = submit(stream, exec->nodes[node]); e != cudaSuccess) return e;
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
