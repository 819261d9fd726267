// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a fiber runs on.

#include <sys/mman.h>

#include <cstddef>

#include "sanitizer.hpp"

namespace emulation {

inline constexpr std::size_t kStackBytes = 256 * 1024;  // sanitized frames are large; untouched pages cost nothing

/// A fiber's stack, with an inaccessible page below it.
class Stack {
 public:
  Stack()
      : base_(static_cast<char*>(mmap(nullptr, kStackBytes + kGuard, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
    mprotect(base_, kGuard, PROT_NONE);
  }
  ~Stack() {
    forget_frames(bottom(), kStackBytes);  // whose addresses may be anything next
    munmap(base_, kStackBytes + kGuard);
  }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;
  char* bottom() const { return base_ + kGuard; }
  char* top() const { return base_ + kGuard + kStackBytes; }

 private:
  static constexpr std::size_t kGuard = 4096;
  char* base_;
};

}  // namespace emulation
