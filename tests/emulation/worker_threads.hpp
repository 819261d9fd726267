// SPDX-License-Identifier: Apache-2.0
#pragma once
// The host threads blocks run on.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "sanitizer.hpp"

namespace emulation {

/// Host threads that run blocks, the caller among them; they live as long as the process, and so do their stacks.
class WorkerThreads {
 public:
  static WorkerThreads& instance() {
    static WorkerThreads workers;
    return workers;
  }

  /// Calls body(0) … body(count − 1), each on a thread of its own; count ≤ kNumWorkers.
  void run(std::size_t count, const std::function<void(std::size_t)>& body) {
    const std::lock_guard<std::mutex> one_at_a_time(launch_);
    if (count < 2) {
      if (count == 1) body(0);
      return;
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      body_ = &body;
      count_ = count;
      running_ = threads_.size();
      ++generation_;
    }
    changed_.notify_all();
    body(0);
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return running_ == 0; });
  }

 private:
  WorkerThreads() {
    for (std::size_t w = 1; w < kNumWorkers; ++w) threads_.emplace_back([this, w] { loop(w); });
  }
  ~WorkerThreads() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    for (std::thread& t : threads_) t.join();
  }
  void loop(std::size_t worker) {
    std::uint64_t seen = 0;
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return stop_ || generation_ != seen; });
      if (stop_) return;
      seen = generation_;
      if (worker < count_) {
        const auto* body = body_;
        lock.unlock();
        (*body)(worker);
        lock.lock();
      }
      if (--running_ == 0) changed_.notify_all();
    }
  }

  std::mutex launch_, mutex_;
  std::condition_variable changed_;
  const std::function<void(std::size_t)>* body_ = nullptr;
  std::size_t count_ = 0, running_ = 0;
  std::uint64_t generation_ = 0;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace emulation
