// SPDX-License-Identifier: Apache-2.0
#include "dsasrgs/context.hpp"

#include <omp.h>

#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/device.hpp"
#include "common/has_cuda.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/most_threads.hpp"

namespace dsasrgs {

namespace {

/// Starts and ends the threads once where there are more than processors: libgomp ends the process where it cannot
/// start them.
void require_threads(int threads) {
  if (threads <= omp_get_num_procs()) return;
  std::promise<void> all_started;
  const std::shared_future<void> go_on = all_started.get_future().share();
  std::vector<std::thread> started;
  bool refused = false;
  try {
    for (int i = 1; i < threads; ++i) started.emplace_back([go_on] { go_on.wait(); });
  } catch (const std::exception&) {  // std::system_error, std::bad_alloc
    refused = true;
  }
  all_started.set_value();
  for (std::thread& thread : started) thread.join();
  if (refused)
    throw InvalidArgument("threads: expected no more than the system starts, about " +
                          std::to_string(started.size() + 1) + " now, found " + std::to_string(threads));
}

}  // namespace

struct Context::State {
  Backend backend = Backend::cpu;
  int threads = 1;
  cuda::Device* device = nullptr;  // owned; null on the CPU
  std::string device_name;
  LogSink log;
  std::stop_token stop;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if constexpr (has_cuda) delete device;
  }
};

Context::Context(std::unique_ptr<State> state) : state_(std::move(state)) {}
Context::~Context() = default;

Context Context::cpu(int threads) try {
  if (threads < 0 || threads > kMostThreads)  // libgomp ends the process where it cannot start them
    throw InvalidArgument("threads: expected 0 (all) to " + std::to_string(kMostThreads) + ", found " +
                          std::to_string(threads));
  require_threads(threads);
  auto state = std::make_unique<State>();
  state->threads = threads == 0 ? omp_get_max_threads() : threads;
  state->device_name = "CPU, " + std::to_string(state->threads) + (state->threads == 1 ? " thread" : " threads");
  return Context(std::move(state));
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

Context Context::cuda(const CudaOptions& options) try {
  if constexpr (has_cuda) {
    auto state = std::make_unique<State>();
    state->backend = Backend::cuda;
    state->threads = omp_get_max_threads();
    state->device = new cuda::Device(options);
    state->device_name = state->device->name();
    return Context(std::move(state));
  }
  throw BackendUnavailable("CUDA device " + std::to_string(options.device) +
                           ": expected a dsasrgs built with CUDA, found one without; the CPU does the same work");
} catch (const std::bad_alloc&) {
  throw_out_of_host_memory();
}

Backend Context::backend() const noexcept { return state_->backend; }
int Context::threads() const noexcept { return state_->threads; }
void* Context::stream() const noexcept {
  if constexpr (has_cuda)
    if (state_->device != nullptr) return state_->device->stream();
  return nullptr;
}
int Context::device() const noexcept {
  if constexpr (has_cuda)
    if (state_->device != nullptr) return state_->device->index();
  return -1;
}
std::size_t Context::free_device_memory() const {
  if constexpr (has_cuda)
    if (state_->device != nullptr) return state_->device->free_bytes();
  return 0;
}
cuda::Device* Context::cuda_device() const noexcept { return state_->device; }
const std::string& Context::device_name() const noexcept { return state_->device_name; }
void Context::synchronize() {
  if constexpr (has_cuda)
    if (state_->device != nullptr) state_->device->synchronize();
}
void Context::set_stop(std::stop_token stop) { state_->stop = std::move(stop); }
void Context::throw_if_stopped(const char* job) const {
  if (state_->stop.stop_requested())
    throw Cancelled(std::string(job == nullptr ? "the job" : job) + ": stopped, as the caller asked");
}
void Context::set_log(LogSink sink) { state_->log = std::move(sink); }
void Context::log(std::string_view message) const {
  if (state_->log) state_->log(message);
}

}  // namespace dsasrgs
