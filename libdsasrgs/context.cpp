#include "dsasrgs/context.hpp"

#include <omp.h>

#include <string>
#include <utility>

#include "dsasrgs/error.hpp"

namespace dsasrgs {

struct Context::State {
  Backend backend = Backend::cpu;
  int threads = 1;
  LogSink log;
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
  return Context(std::move(state));
}

Context Context::cuda(int device) {
  throw BackendUnavailable("CUDA device " + std::to_string(device) +
                           ": this build of dsasrgs has no CUDA backend; use Context::cpu()");
}

Backend Context::backend() const noexcept { return state_->backend; }
int Context::threads() const noexcept { return state_->threads; }
void Context::synchronize() {}
void Context::set_log(LogSink sink) { state_->log = std::move(sink); }
void Context::log(std::string_view message) const {
  if (state_->log) state_->log(message);
}

}  // namespace dsasrgs
