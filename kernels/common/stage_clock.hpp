// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the time of work that is done again and again goes.

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include "dsasrgs/context.hpp"

namespace dsasrgs {

/// Seconds of numbered stages: by the host's clock, or on CUDA, where that sees only how long submitting takes, by
/// events in stream order.
class StageClock {
 public:
  explicit StageClock(std::size_t num_stages) : seconds_(num_stages) {}
  StageClock(StageClock&&) noexcept = default;
  StageClock& operator=(StageClock&&) noexcept = default;
  StageClock(const StageClock&) = delete;
  StageClock& operator=(const StageClock&) = delete;
  /// Forgets what it has not read; nothing is waited for.
  ~StageClock() = default;

  /// On CUDA, from now on by events; what is timed must then not be captured. Without effect on the CPU.
  void use_events(bool on) { use_events_ = on; }
  bool uses_events() const { return use_events_; }

  /// Adds the time of body() to a stage. Stages within each other count twice.
  template <class Body>
  void time(Context& ctx, std::size_t stage, Body&& body) {
    if (use_events_ && ctx.asynchronous()) {
      Event begin = record(ctx);
      body();
      add(ctx, {stage, std::move(begin), record(ctx)});
      return;
    }
    const auto start = std::chrono::steady_clock::now();
    body();
    seconds_[stage] += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  /// Of every stage so far. Waits for the context's work where there are events to read.
  const std::vector<double>& seconds(Context&);

 private:
  /// A CUDA event; owned.
  class Event {
   public:
    explicit Event(void* event) noexcept : event_(event) {}
    Event(Event&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}
    Event& operator=(Event&& other) noexcept {
      std::swap(event_, other.event_);
      return *this;
    }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    ~Event();
    void* get() const noexcept { return event_; }

   private:
    void* event_;
  };
  struct Span {
    std::size_t stage;
    Event begin, end;
  };

  static Event record(Context&);
  void add(Context&, Span);

  std::vector<double> seconds_;
  std::vector<Span> spans_;  // not read yet
  bool use_events_ = false;
};

}  // namespace dsasrgs
