// SPDX-License-Identifier: Apache-2.0
#pragma once
// Streams, what waits in them, and graphs of it.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "include/cuda_runtime.h"

namespace emulation {

/// Nodes of a graph that a later one comes after.
using Nodes = std::set<std::size_t>;

/// A piece of work. An instantiated graph takes another of the same kind, size and place in its place.
struct Node {
  enum class Kind : std::uint8_t { kernel, copy, set, event, release } kind;
  std::size_t bytes;  ///< that a copy or memset is about
  std::function<cudaError_t()> run;
  Nodes after{};
};
struct Graph {
  std::vector<Node> nodes;
  std::vector<Stream*> joined{};  ///< streams that wait for an event of the capture, beside the one that began it
};
struct GraphExec {
  std::vector<Node> nodes;
};
struct Stream {
  int device;
  std::unique_ptr<Graph> capturing;
  std::deque<Node> waiting{};  ///< set_deferred(true)
  Graph* joined = nullptr;     ///< the graph that another stream captures, and this one with it
  Nodes last{};                ///< what is captured next comes after these
  Graph* graph() const { return joined != nullptr ? joined : capturing.get(); }
};
struct Event {
  std::chrono::steady_clock::time_point time;
  Stream* stream = nullptr;
  Graph* graph = nullptr;  ///< it was recorded in the capture of
  Nodes last{};
};

/// Captures work, keeps it (set_deferred(true)) or does it.
cudaError_t submit(cudaStream_t, Node);
/// Does what waits in a stream. After a failure the rest is lost, as on a device.
cudaError_t wait_for(cudaStream_t);
bool is_deferred();

/// What CUDA asks of a launch, a memset or an event: the stream is one of the current device.
cudaError_t require_current(cudaStream_t, const char* what);
cudaError_t forbidden_in_capture(cudaStream_t, const char* what);

/// Somebody has waited for all copies of a stream to pinned memory.
void note_wait(const Stream*);

}  // namespace emulation
