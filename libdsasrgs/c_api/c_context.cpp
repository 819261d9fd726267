// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "c_api/call.hpp"
#include "c_api/handles.hpp"
#include "dsasrgs/context.hpp"

using namespace dsasrgs::c_api;

dsasrgs_status dsasrgs_context_new_cpu(int32_t threads, dsasrgs_context** context) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs_context*& made = call.new_handle(context, "context");
    made = new dsasrgs_context{std::make_shared<StoppableContext>(threads)};
  });
}

dsasrgs_status dsasrgs_context_new_cuda(int32_t device, void* stream, dsasrgs_context** context) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs_context*& made = call.new_handle(context, "context");
    made = new dsasrgs_context{std::make_shared<StoppableContext>(dsasrgs::CudaOptions{device, stream})};
  });
}

void dsasrgs_context_free(dsasrgs_context* context) { delete context; }

dsasrgs_status dsasrgs_context_set_log(dsasrgs_context* context, dsasrgs_log_callback log, void* user) {
  return guarded(__func__, [&](const Call& call) {
    dsasrgs::Context& ctx = call.given(context, "context").context->context();
    if (log == nullptr) return ctx.set_log({});
    ctx.set_log([log, user](std::string_view message) {
      try {  // a message is no reason to end a job halfway
        log(std::string(message).c_str(), user);
      } catch (...) {
      }
    });
  });
}

dsasrgs_status dsasrgs_context_cancel(dsasrgs_context* context) {
  return guarded(__func__, [&](const Call& call) { call.given(context, "context").context->stop(); });
}

dsasrgs_status dsasrgs_context_resume(dsasrgs_context* context) {
  return guarded(__func__, [&](const Call& call) { call.given(context, "context").context->resume(); });
}
