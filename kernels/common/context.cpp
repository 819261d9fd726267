#include "dsasrgs/context.hpp"

#include <omp.h>

#include <string>
#include <utility>

#include "common/device.hpp"
#include "common/has_cuda.hpp"
#include "dsasrgs/error.hpp"

namespace dsasrgs {

struct Context::State {
  Backend backend = Backend::cpu;
  int threads = 1;
  void* stream = nullptr;
  std::string device_name;
  LogSink log;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if constexpr (has_cuda)
      if (stream != nullptr) cuda::destroy_stream(stream);
  }
};

Context::Context(std::unique_ptr<State> state) : state_(std::move(state)) {}
Context::Context(Context&&) noexcept = default;
Context& Context::operator=(Context&&) noexcept = default;
Context::~Context() = default;

Context Context::cpu(int threads) {
  if (threads < 0)
    throw InvalidArgument("Context::cpu: threads: expected 0 (all) or more, found " + std::to_string(threads));
  auto state = std::make_unique<State>();
  state->threads = threads == 0 ? omp_get_max_threads() : threads;
  state->device_name = "CPU, " + std::to_string(state->threads) + (state->threads == 1 ? " thread" : " threads");
  return Context(std::move(state));
}

Context Context::cuda(int device) {
  if constexpr (has_cuda) {
    auto state = std::make_unique<State>();
    state->backend = Backend::cuda;
    state->threads = omp_get_max_threads();
    state->stream = cuda::create_stream(device);
    state->device_name = cuda::device_name(device);
    return Context(std::move(state));
  }
  throw BackendUnavailable("CUDA device " + std::to_string(device) +
                           ": this build of dsasrgs has no CUDA backend; use Context::cpu()");
}

Backend Context::backend() const noexcept { return state_->backend; }
int Context::threads() const noexcept { return state_->threads; }
void* Context::stream() const noexcept { return state_->stream; }
const std::string& Context::device_name() const noexcept { return state_->device_name; }
void Context::synchronize() {
  if constexpr (has_cuda)
    if (state_->stream != nullptr) cuda::synchronize(state_->stream);
}
void Context::set_log(LogSink sink) { state_->log = std::move(sink); }
void Context::log(std::string_view message) const {
  if (state_->log) state_->log(message);
}

}  // namespace dsasrgs
