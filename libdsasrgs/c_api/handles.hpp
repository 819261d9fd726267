// SPDX-License-Identifier: Apache-2.0
#pragma once
// What stands behind the handles of dsasrgs.h. Each keeps alive what it was made from, so handles may be freed in any
// order; members are destroyed from the last to the first.

#include <memory>
#include <mutex>
#include <stop_token>

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/config.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/dsasrgs.h"
#include "dsasrgs/model.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "dsasrgs/renderer.hpp"
#include "dsasrgs/uncertainty.hpp"

namespace dsasrgs::c_api {

/// A context that another thread may stop.
class StoppableContext {
 public:
  explicit StoppableContext(int threads) : context_(Context::cpu(threads)) { resume(); }
  explicit StoppableContext(const CudaOptions& options) : context_(Context::cuda(options)) { resume(); }

  Context& context() { return context_; }
  /// For the thread that uses the context.
  std::stop_token token() const { return token_; }
  void stop() {
    const std::scoped_lock lock(mutex_);
    source_.request_stop();
  }
  void resume() {
    const std::scoped_lock lock(mutex_);
    source_ = std::stop_source();
    token_ = source_.get_token();
    context_.set_stop(token_);
  }

 private:
  Context context_;
  std::mutex mutex_;  // of the source, which stop() uses from any thread
  std::stop_source source_;
  std::stop_token token_;
};

struct Training {
  std::shared_ptr<StoppableContext> context;
  Reconstructor reconstructor;
};

}  // namespace dsasrgs::c_api

struct dsasrgs_context {
  std::shared_ptr<dsasrgs::c_api::StoppableContext> context;
};

struct dsasrgs_acquisition {
  dsasrgs::Acquisition acquisition;
};

struct dsasrgs_config {
  dsasrgs::Config config;
};

struct dsasrgs_reconstructor {
  std::shared_ptr<dsasrgs::c_api::Training> training;
};

struct dsasrgs_model {
  std::shared_ptr<dsasrgs::c_api::StoppableContext> context;
  std::shared_ptr<dsasrgs::c_api::Training> training;  // one of the two
  std::shared_ptr<const dsasrgs::Model> file;
  std::unique_ptr<dsasrgs::Renderer> renderer;  // made when it is first needed, and kept for its scratch memory

  /// Throws NumericalError of a training that came to nothing.
  const dsasrgs::Model& model() const { return training ? training->reconstructor.model() : *file; }
};

struct dsasrgs_uncertainty {
  dsasrgs_model of;    // a handle of its own
  int steps_done = 0;  // by its training, when this was made
  dsasrgs::Uncertainty uncertainty;
};
