// SPDX-License-Identifier: Apache-2.0
#include "common/stage_clock.hpp"

#include "common/device.hpp"
#include "common/has_cuda.hpp"

namespace dsasrgs {

StageClock::Event::~Event() {
  if constexpr (has_cuda)
    if (event_ != nullptr) cuda::Device::forget_event(event_);
}

StageClock::Event StageClock::record(Context& ctx) {
  void* event = nullptr;
  if constexpr (has_cuda) event = ctx.cuda_device()->record_event();
  return Event(event);
}

void StageClock::add(Context& ctx, Span span) {
  constexpr std::size_t kMostSpans = 4096;
  spans_.push_back(std::move(span));
  if (spans_.size() >= kMostSpans) seconds(ctx);
}

const std::vector<double>& StageClock::seconds(Context& ctx) {
  if constexpr (has_cuda)
    if (!spans_.empty()) {
      ctx.synchronize();
      for (const Span& span : spans_)
        seconds_[span.stage] += ctx.cuda_device()->seconds_between(span.begin.get(), span.end.get());
      spans_.clear();
    }
  (void)ctx;
  return seconds_;
}

}  // namespace dsasrgs
