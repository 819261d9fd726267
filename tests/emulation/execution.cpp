// SPDX-License-Identifier: Apache-2.0
#include "execution.hpp"

#include <atomic>
#include <boost/context/detail/fcontext.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "order.hpp"
#include "sanitizer.hpp"
#include "stack.hpp"
#include "static_shared.hpp"
#include "worker_threads.hpp"

namespace emulation {
namespace {

using boost::context::detail::fcontext_t;
using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

constexpr unsigned kWarp = 32;

enum class State : std::uint8_t { fresh, ready, at_barrier, at_collective, done };

/// One CUDA thread of the running block.
struct Fiber {
  fcontext_t context = nullptr;
  Stack* stack = nullptr;
  State state = State::fresh;
  uint3 index;
  Site site;
  // What the thread brought to its collective, and what it takes away.
  std::uint64_t value = 0;
  int source_lane = 0;
  std::uint64_t result = 0;
  SanitizerFiber* sanitizer = nullptr;
};

/// A warp collective that waits for lanes.
struct Gathering {
  unsigned mask, arrived;
  Collective kind;
  Site site;
};
struct Warp {
  std::vector<Gathering> open;
  unsigned returned = 0;  ///< lanes that have returned or do not exist
};

std::string describe(Site s) {
  return std::string(s.function_name()) + " (" + s.file_name() + ":" + std::to_string(s.line()) + ")";
}

bool same_site(const Site& a, const Site& b) {
  return a.line() == b.line() && a.column() == b.column() &&
         (a.file_name() == b.file_name() || std::strcmp(a.file_name(), b.file_name()) == 0);
}

/// Runs blocks one after another on the calling host thread.
class BlockRunner {
 public:
  BlockRunner(const cudaLaunchConfig_t& config, const std::function<void()>& body)
      : body_(&body),
        block_(config.blockDim),
        num_threads_(config.blockDim.x * config.blockDim.y * config.blockDim.z),
        fibers_(num_threads_),
        warps_((num_threads_ + kWarp - 1) / kWarp),
        shared_(config.dynamicSmemBytes == 0 ? nullptr : std::make_unique<Chunk[]>(chunks(config.dynamicSmemBytes))),
        shared_bytes_(config.dynamicSmemBytes) {
    while (sanitizer_fibers_.size() < num_threads_) sanitizer_fibers_.emplace_back();
    for (unsigned t = 0; t < num_threads_; ++t) fibers_[t].sanitizer = &sanitizer_fibers_[t];
    blockDim = config.blockDim;
    gridDim = config.gridDim;
    active = this;
  }
  ~BlockRunner() {
    active = nullptr;
    if (error_.empty()) return;
    free_stacks_.clear();  // suspended threads keep theirs
    for (const auto& s : stacks_) {
      forget_frames(s->bottom(), kStackBytes);
      free_stacks_.push_back(s.get());
    }
  }

  /// Empty, or what went wrong. After an error the runner must not be used again: threads are left suspended.
  std::string run(uint3 block) {
    blockIdx = block;
    for (unsigned t = 0; t < num_threads_; ++t) {
      fibers_[t].state = State::fresh;
      fibers_[t].index = {t % block_.x, t / block_.x % block_.y, t / (block_.x * block_.y)};
    }
    for (Warp& w : warps_) w = {};
    if (num_threads_ % kWarp != 0) warps_.back().returned = ~0u << (num_threads_ % kWarp);
    num_done_ = num_at_barrier_ = 0;
    if (shared_ != nullptr)  // what another block left there must not be read
      std::memset(shared_.get(), 0xff, shared_bytes_);
    begin_block_with_static_shared();
    scheduler_.release(&block_begin);
    Turns turns(block);
    turns.put_in_order(turns_, num_threads_);
    while (num_done_ < num_threads_) {
      bool progress = false;
      if (turns.shuffled()) turns.put_in_order(turns_, num_threads_);
      for (unsigned i = 0; i < num_threads_ && error_.empty(); ++i) {
        const auto t = static_cast<unsigned>(turns_[i]);
        if (fibers_[t].state != State::fresh && fibers_[t].state != State::ready) continue;
        resume(t);
        progress = true;
      }
      if (!error_.empty()) return error_;
      if (num_done_ < num_threads_ && num_at_barrier_ == num_threads_)
        release_barrier();
      else if (!progress)
        return error_ = stuck();
    }
    scheduler_.acquire(&block_end);
    return {};
  }

  int barrier(bool predicate, Site site) {
    Fiber& self = fibers_[current_];
    barrier_count_ += predicate;
    self.site = site;
    self.state = State::at_barrier;
    ++num_at_barrier_;
    self.sanitizer->release(this);
    suspend();
    self.sanitizer->acquire(this);
    return released_count_;
  }

  std::uint64_t collective(Collective kind, unsigned mask, std::uint64_t value, int source_lane, Site site) {
    Fiber& self = fibers_[current_];
    const unsigned warp = current_ / kWarp;
    self.value = value;
    self.source_lane = source_lane;
    self.site = site;
    self.state = State::at_collective;
    self.sanitizer->release(&warps_[warp]);
    const bool complete_now = join(kind, mask, site);
    if (complete_now) complete(warp * kWarp, kind, mask);
    // After an error nobody is resumed, so this frame must own nothing.
    if (!complete_now || !error_.empty()) suspend();
    self.sanitizer->acquire(&warps_[warp]);
    return self.result;
  }

  unsigned lane() const { return current_ % kWarp; }
  void* dynamic_shared() const { return shared_.get(); }

  static thread_local BlockRunner* active;

 private:
  struct alignas(128) Chunk {
    unsigned char bytes[128];
  };
  static std::size_t chunks(std::size_t bytes) { return (bytes + sizeof(Chunk) - 1) / sizeof(Chunk); }

  void complete(unsigned warp_first, Collective kind, unsigned mask) {
    const Fiber& first = fibers_[warp_first + static_cast<unsigned>(std::countr_zero(mask))];
    std::uint64_t combined = kind == Collective::ballot || kind == Collective::add ? 0 : first.value;
    for (unsigned l = 0; l < kWarp && kind != Collective::shuffle && kind != Collective::sync; ++l) {
      if ((mask >> l & 1) == 0) continue;
      const std::uint64_t v = fibers_[warp_first + l].value;
      switch (kind) {
        case Collective::ballot:
          combined |= v << l;
          break;
        case Collective::add:
          combined += v;
          break;
        case Collective::max:
          combined = std::max(combined, v);
          break;
        case Collective::min:
          combined = std::min(combined, v);
          break;
        default:
          break;
      }
    }
    for (unsigned l = 0; l < kWarp; ++l) {
      if ((mask >> l & 1) == 0) continue;
      Fiber& f = fibers_[warp_first + l];
      f.state = State::ready;
      if (kind != Collective::shuffle) {
        f.result = combined;
        continue;
      }
      const unsigned source = static_cast<unsigned>(f.source_lane) & (kWarp - 1);
      // A lane outside the mask gives an undefined value in CUDA; here one that spoils any result.
      f.result = (mask >> source & 1) != 0 ? fibers_[warp_first + source].value : ~std::uint64_t{0};
    }
  }

  void release_barrier() {
    for (unsigned t = 0; t < num_threads_; ++t) {
      if (!same_site(fibers_[t].site, fibers_[0].site)) {
        error_ = "divergent barrier in block " + block_name() + ": thread 0 waits at " + describe(fibers_[0].site) +
                 ", thread " + std::to_string(t) + " at " + describe(fibers_[t].site);
        return;
      }
      fibers_[t].state = State::ready;
    }
    num_at_barrier_ = 0;
    released_count_ = barrier_count_;
    barrier_count_ = 0;
  }

  /// Nobody can go on: some threads wait for others that returned or wait elsewhere.
  std::string stuck() const {
    std::string message = "divergent barrier in block " + block_name() + ": ";
    for (unsigned t = 0; t < num_threads_; ++t)
      if (fibers_[t].state != State::done) {
        message += "thread " + std::to_string(t) + " waits at " + describe(fibers_[t].site) + " for threads that ";
        break;
      }
    return message + (num_done_ > 0 ? "have returned" : "wait elsewhere");
  }

  /// Adds the current lane to the collective of its mask. True when it was the last. Sets error_ where the collective
  /// can never take place.
  bool join(Collective kind, unsigned mask, const Site& site) {
    std::vector<Gathering>& open = warps_[current_ / kWarp].open;
    const unsigned lane_bit = 1u << (current_ % kWarp), returned = warps_[current_ / kWarp].returned;
    if ((mask & lane_bit) == 0) return fail("a lane calls a warp collective without being in its mask");
    if ((mask & returned) != 0) return fail(returned_lane(mask & returned));
    for (std::size_t i = 0; i < open.size(); ++i) {
      Gathering& g = open[i];
      if ((g.mask & mask) == 0) continue;
      if (g.mask != mask || g.kind != kind || !same_site(g.site, site))
        return fail("lanes of one mask wait at different warp collectives: another at " + describe(g.site));
      g.arrived |= lane_bit;
      if (g.arrived != mask) return false;
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(i));
      return true;
    }
    if (mask == lane_bit) return true;
    open.push_back({mask, lane_bit, kind, site});
    return false;
  }
  bool fail(const std::string& what) {
    error_ = "block " + block_name() + ", thread " + std::to_string(current_) + " at " +
             describe(fibers_[current_].site) + ": " + what;
    return false;
  }
  static std::string returned_lane(unsigned lanes) {
    return "lane " + std::to_string(std::countr_zero(lanes)) +
           " is in the mask of a warp collective but has returned or does not exist";
  }
  std::string block_name() const {
    std::string name = "(";
    name += std::to_string(blockIdx.x) + ", " + std::to_string(blockIdx.y) + ", " + std::to_string(blockIdx.z) + ")";
    return name;
  }

  void resume(unsigned t) {
    Fiber& f = fibers_[t];
    if (f.state == State::fresh) {
      f.stack = take_stack(t);
      f.context = make_fcontext(f.stack->top(), kStackBytes, &BlockRunner::entry);
    }
    f.state = State::ready;
    current_ = t;
    threadIdx = f.index;
    scheduler_.before_switch_to(*f.sanitizer, f.stack->bottom(), kStackBytes);
    const transfer_t back = jump_fcontext(f.context, this);
    scheduler_.after_switch();
    f.context = back.fctx;
    if (f.state != State::done) return;
    ++num_done_;
    Warp& warp = warps_[t / kWarp];
    warp.returned |= 1u << (t % kWarp);
    for (const Gathering& g : warp.open)
      if ((g.mask & warp.returned) != 0 && error_.empty())
        error_ = "block " + block_name() + ", a collective at " + describe(g.site) + ": " +
                 returned_lane(g.mask & warp.returned);
    if constexpr (!kStackPerThread) free_stacks_.push_back(f.stack);
  }

  void suspend() {
    Fiber& self = fibers_[current_];
    self.sanitizer->before_switch_to(scheduler_, nullptr, 0);
    const transfer_t back = jump_fcontext(scheduler_context_, nullptr);
    self.sanitizer->after_switch();
    scheduler_context_ = back.fctx;
  }

  static void entry(transfer_t from) {
    auto* runner = static_cast<BlockRunner*>(from.data);
    runner->scheduler_context_ = from.fctx;
    Fiber& self = runner->fibers_[runner->current_];
    self.sanitizer->after_first_switch(runner->scheduler_);
    self.sanitizer->acquire(&block_begin);
    (*runner->body_)();
    self.state = State::done;
    self.sanitizer->release(&block_end);
    self.sanitizer->before_last_switch_to(runner->scheduler_);
    jump_fcontext(runner->scheduler_context_, nullptr);
  }

  /// Threads that never wait all run on the same, warm stack.
  Stack* take_stack(unsigned t) {
    if constexpr (kStackPerThread) {
      while (stacks_.size() <= t) stacks_.push_back(std::make_unique<Stack>());
      return stacks_[t].get();
    }
    if (free_stacks_.empty()) {
      stacks_.push_back(std::make_unique<Stack>());
      return stacks_.back().get();
    }
    Stack* s = free_stacks_.back();
    free_stacks_.pop_back();
    return s;
  }

  const std::function<void()>* body_;
  dim3 block_;
  unsigned num_threads_, num_done_ = 0, num_at_barrier_ = 0, current_ = 0;
  int barrier_count_ = 0, released_count_ = 0;
  std::string error_;
  fcontext_t scheduler_context_ = nullptr;
  SanitizerFiber scheduler_{SanitizerFiber::CurrentThread{}};
  std::vector<Fiber> fibers_;
  std::vector<Warp> warps_;
  std::unique_ptr<Chunk[]> shared_;
  std::size_t shared_bytes_;
  std::vector<std::size_t> turns_;  // the threads, in the order in which they go on
  // Kept from launch to launch: making them costs more than a small block.
  static thread_local std::vector<std::unique_ptr<Stack>> stacks_;
  static thread_local std::vector<Stack*> free_stacks_;
  static thread_local std::deque<SanitizerFiber> sanitizer_fibers_;
  static thread_local char block_begin, block_end;  // what threads of one block must not be ordered by
};

thread_local BlockRunner* BlockRunner::active = nullptr;
thread_local std::vector<std::unique_ptr<Stack>> BlockRunner::stacks_;
thread_local std::vector<Stack*> BlockRunner::free_stacks_;
thread_local std::deque<SanitizerFiber> BlockRunner::sanitizer_fibers_;
thread_local char BlockRunner::block_begin = 0, BlockRunner::block_end = 0;

}  // namespace

int block_barrier(bool predicate, Site site) { return BlockRunner::active->barrier(predicate, site); }
std::uint64_t warp_collective(Collective kind, unsigned mask, std::uint64_t value, int source_lane, Site site) {
  return BlockRunner::active->collective(kind, mask, value, source_lane, site);
}
unsigned lane() { return BlockRunner::active->lane(); }
void* dynamic_shared() { return BlockRunner::active->dynamic_shared(); }

std::string run_grid(const cudaLaunchConfig_t& config, const std::function<void()>& thread_body) {
  const DeviceAccess access;
  const std::size_t num_blocks = std::size_t{config.gridDim.x} * config.gridDim.y * config.gridDim.z;
  const std::size_t workers = std::min<std::size_t>(num_blocks, kNumWorkers);
  std::mutex guard;
  std::string error;
  std::vector<std::size_t> order;
  Turns::of_launch().put_in_order(order, num_blocks);
  WorkerThreads::instance().run(workers, [&](std::size_t worker) {
    BlockRunner runner(config, thread_body);
    for (std::size_t i = worker; i < num_blocks; i += workers) {
      const std::size_t b = order[i];
      const std::string what = runner.run({static_cast<unsigned>(b % config.gridDim.x),
                                           static_cast<unsigned>(b / config.gridDim.x % config.gridDim.y),
                                           static_cast<unsigned>(b / config.gridDim.x / config.gridDim.y)});
      if (what.empty()) continue;
      const std::lock_guard<std::mutex> lock(guard);
      if (error.empty()) error = what;
      return;
    }
  });
  return error;
}

}  // namespace emulation
