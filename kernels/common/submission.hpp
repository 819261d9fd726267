// SPDX-License-Identifier: Apache-2.0
#pragma once
// How the work of one training step reaches the machine, and its results the host.

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "dsasrgs/context.hpp"

namespace dsasrgs {

/// Submits a body of operator calls. On a CUDA context it can be captured into one graph, which while the calls keep
/// their shape is only updated with new arguments; on the CPU the body simply runs.
class Submission {
 public:
  Submission();
  ~Submission();
  Submission(Submission&&) noexcept;
  Submission& operator=(Submission&&) noexcept;
  /// With capture, body must not allocate, free or wait (each throws CudaError); the first body after a change of sizes
  /// is therefore run without.
  void run(Context&, bool capture, const std::function<void()>& body);

 private:
  struct Graph;
  std::unique_ptr<Graph> graph_;
};

/// Two bodies of operator calls of which neither reads or writes what the other writes. Captured, they are two branches
/// of the graph; else the second comes after the first, and the first call must be one of these.
void side_by_side(Context&, const std::function<void()>& first, const std::function<void()>& second);

/// Host memory that results are written to in stream order, without waiting. On the CPU that is done at once. Its
/// destructor waits for what is under way.
class Mailbox {
 public:
  /// Throws OutOfMemory.
  Mailbox(Context&, std::size_t bytes);
  Mailbox(Mailbox&&) noexcept;
  Mailbox& operator=(Mailbox&&) noexcept;
  ~Mailbox();
  /// [offset, offset + bytes) ← memory of the context, whole 4-byte words.
  struct Letter {
    std::size_t offset;
    const void* source;
    std::size_t bytes;
  };
  static constexpr std::size_t kMostLetters = 32;  ///< at once
  void post(const Context&, std::span<const Letter>);
  /// Valid for what was posted before the last Context::synchronize().
  const void* data() const { return data_; }

 private:
  void* data_ = nullptr;
  cuda::Device* device_ = nullptr;  // null: memory of the CPU
};

}  // namespace dsasrgs
