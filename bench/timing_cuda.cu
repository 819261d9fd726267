// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "common/launch.cuh"
#include "timing.hpp"

namespace dsasrgs::bench::cuda {

using namespace dsasrgs::cuda;

namespace {

class Event {
 public:
  Event() { check(cudaEventCreateWithFlags(&event_, cudaEventDefault), "cudaEventCreate"); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { cudaEventDestroy(event_); }
  void record(const Context& ctx) { check(cudaEventRecord(event_, stream_of(ctx)), "cudaEventRecord"); }
  /// Waits for both.
  double seconds_since(const Event& start) const {
    check(cudaEventSynchronize(event_), "cudaEventSynchronize");
    float ms = 0;
    check(cudaEventElapsedTime(&ms, start.event_, event_), "cudaEventElapsedTime");
    return 1e-3 * ms;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace

double seconds_between_events(Context& ctx, int calls, const std::function<void()>& body) {
  const OnDevice current(ctx.device());
  Event start, stop;
  start.record(ctx);
  for (int i = 0; i < calls; ++i) body();
  stop.record(ctx);
  return stop.seconds_since(start);
}

std::unique_ptr<Recording> Recording::of(Context& ctx, const std::function<void()>& body) {
  const OnDevice current(ctx.device());
  const cudaStream_t stream = stream_of(ctx);
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  cudaGraph_t graph = nullptr;
  bool recorded = true;
  try {
    body();
  } catch (const CudaError&) {
    recorded = false;
  }
  recorded = cudaStreamEndCapture(stream, &graph) == cudaSuccess && recorded;
  cudaGetLastError();
  cudaGraphExec_t executable = nullptr;
  if (recorded) recorded = cudaGraphInstantiate(&executable, graph, 0) == cudaSuccess;
  cudaGetLastError();
  if (graph != nullptr) cudaGraphDestroy(graph);
  return recorded ? std::unique_ptr<Recording>(new Recording(executable)) : nullptr;
}

Recording::~Recording() { cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(executable_)); }

void Recording::run(Context& ctx) const {
  const OnDevice current(ctx.device());
  check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(executable_), stream_of(ctx)), "cudaGraphLaunch");
}

double cold_seconds(Context& ctx, int calls, Buffer<float>& flushing, const std::function<void()>& body) {
  const OnDevice current(ctx.device());
  std::vector<double> seconds;
  Event start, stop;
  for (int i = 0; i < calls; ++i) {
    check(cudaMemsetAsync(flushing.data(), i, flushing.size() * sizeof(float), stream_of(ctx)), "cudaMemsetAsync");
    start.record(ctx);
    body();
    stop.record(ctx);
    seconds.push_back(stop.seconds_since(start));
  }
  const auto middle = seconds.begin() + calls / 2;
  std::nth_element(seconds.begin(), middle, seconds.end());
  return *middle;
}

}  // namespace dsasrgs::bench::cuda
