// SPDX-License-Identifier: Apache-2.0
#pragma once
// What AddressSanitizer and ThreadSanitizer must be told about fibers. Without a sanitizer everything here is empty.

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif
// The scheduler itself is compiled without ThreadSanitizer's instrumentation, with this macro instead of the
// compiler's.
#if defined(EMULATION_THREAD_SANITIZER)
#include <sanitizer/tsan_interface.h>
#endif

namespace emulation {

#if defined(EMULATION_THREAD_SANITIZER)
/// Each CUDA thread is a thread of its own for ThreadSanitizer, and never shares a stack with another.
inline constexpr bool kStackPerThread = true;
#else
inline constexpr bool kStackPerThread = false;
#endif
/// For a stack whose frames will never return, before its memory is used again.
inline void forget_frames(void* bottom, std::size_t size) {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(bottom, size);
#else
  (void)bottom;
  (void)size;
#endif
}

/// Host threads that run blocks.
inline constexpr std::size_t kNumWorkers = 2;

/// A fiber as the sanitizers see it. Under ThreadSanitizer a switch orders nothing; only barriers and collectives do,
/// through release and acquire, so a missing barrier is a reported race.
class SanitizerFiber {
 public:
  struct CurrentThread {};
#if defined(EMULATION_THREAD_SANITIZER)
  SanitizerFiber() : fiber_(__tsan_create_fiber(0)), owned_(true) {}
  explicit SanitizerFiber(CurrentThread) : fiber_(__tsan_get_current_fiber()) {}
  ~SanitizerFiber() {
    if (owned_) __tsan_destroy_fiber(fiber_);
  }
  SanitizerFiber(const SanitizerFiber&) = delete;
  SanitizerFiber& operator=(const SanitizerFiber&) = delete;
  void acquire(void* token) { __tsan_acquire(token); }
  void release(void* token) { __tsan_release(token); }
  void before_switch_to(SanitizerFiber& to, const void*, std::size_t) {
    __tsan_switch_to_fiber(to.fiber_, __tsan_switch_to_fiber_no_sync);
  }
  void before_last_switch_to(SanitizerFiber& to) { before_switch_to(to, nullptr, 0); }
  void after_switch() {}
  void after_first_switch(SanitizerFiber&) {}

 private:
  void* fiber_;
  bool owned_ = false;
#elif defined(__SANITIZE_ADDRESS__)
  SanitizerFiber() = default;
  explicit SanitizerFiber(CurrentThread) {}
  void acquire(void*) {}
  void release(void*) {}
  /// Without a stack: back to the scheduler, whose stack it told us when it switched here.
  void before_switch_to(SanitizerFiber& to, const void* bottom, std::size_t size) {
    __sanitizer_start_switch_fiber(&fake_stack_, bottom != nullptr ? bottom : to.bottom_,
                                   bottom != nullptr ? size : to.size_);
  }
  void before_last_switch_to(SanitizerFiber& to) { __sanitizer_start_switch_fiber(nullptr, to.bottom_, to.size_); }
  void after_switch() { __sanitizer_finish_switch_fiber(fake_stack_, nullptr, nullptr); }
  void after_first_switch(SanitizerFiber& from) {
    __sanitizer_finish_switch_fiber(nullptr, &from.bottom_, &from.size_);
  }

 private:
  void* fake_stack_ = nullptr;
  const void* bottom_ = nullptr;
  std::size_t size_ = 0;
#else
  SanitizerFiber() = default;
  explicit SanitizerFiber(CurrentThread) {}
  void acquire(void*) {}
  void release(void*) {}
  void before_switch_to(SanitizerFiber&, const void*, std::size_t) {}
  void before_last_switch_to(SanitizerFiber&) {}
  void after_switch() {}
  void after_first_switch(SanitizerFiber&) {}
#endif
};

}  // namespace emulation
