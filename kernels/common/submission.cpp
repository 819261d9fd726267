// SPDX-License-Identifier: Apache-2.0
#include "common/submission.hpp"

#include <array>
#include <cstring>
#include <new>
#include <utility>

#include "common/device.hpp"
#include "common/has_cuda.hpp"
#include "dsasrgs/buffer.hpp"

namespace dsasrgs {

#if DSASRGS_HAS_CUDA
struct Submission::Graph {
  cuda::Graph graph;
};
#else
struct Submission::Graph {};
#endif

Submission::Submission() = default;
Submission::~Submission() = default;
Submission::Submission(Submission&&) noexcept = default;
Submission& Submission::operator=(Submission&&) noexcept = default;

void Submission::run(Context& ctx, bool capture, const std::function<void()>& body) {
#if DSASRGS_HAS_CUDA
  if (capture && ctx.backend() == Backend::cuda) {
    if (graph_ == nullptr) graph_ = std::make_unique<Graph>();
    return graph_->graph.submit(*ctx.cuda_device(), body);
  }
#endif
  (void)ctx;
  (void)capture;
  body();
}

void side_by_side(Context& ctx, const std::function<void()>& first, const std::function<void()>& second) {
  if constexpr (has_cuda)
    if (ctx.backend() == Backend::cuda) return ctx.cuda_device()->side_by_side(first, second);
  (void)ctx;
  first();
  second();
}

Mailbox::Mailbox(Context& ctx, std::size_t bytes) : device_(ctx.cuda_device()) {
  if constexpr (has_cuda)
    if (device_ != nullptr) {
      data_ = device_->allocate_pinned(bytes);
      return;
    }
  data_ = ::operator new(bytes, std::nothrow);
  if (data_ == nullptr) throw_out_of_host_memory(bytes, 1);
}
Mailbox::Mailbox(Mailbox&& o) noexcept : data_(std::exchange(o.data_, nullptr)), device_(o.device_) {}
Mailbox& Mailbox::operator=(Mailbox&& o) noexcept {
  std::swap(data_, o.data_);
  std::swap(device_, o.device_);
  return *this;
}
Mailbox::~Mailbox() {
  if constexpr (has_cuda)
    if (device_ != nullptr) {
      if (data_ != nullptr) device_->release_pinned(data_);
      return;
    }
  ::operator delete(data_);
}

void Mailbox::post(const Context& ctx, std::span<const Letter> letters) {
  char* const start = static_cast<char*>(data_);
  if constexpr (has_cuda)
    if (device_ != nullptr) {
      static_assert(kMostLetters == cuda::kMostPinnedWrites);
      std::array<cuda::PinnedWrite, kMostLetters> writes;
      std::size_t count = 0;
      for (const Letter& letter : letters) writes.at(count++) = {start + letter.offset, letter.source, letter.bytes};
      return cuda::write_to_pinned(ctx, std::span(writes).first(count));
    }
  (void)ctx;
  for (const Letter& letter : letters) std::memcpy(start + letter.offset, letter.source, letter.bytes);
}

}  // namespace dsasrgs
