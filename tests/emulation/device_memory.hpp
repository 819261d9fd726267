// SPDX-License-Identifier: Apache-2.0
#pragma once
// The emulated devices' memory. Outside kernels and copies it is inaccessible, so host code that reads it stops with a
// segmentation fault instead of working here and failing on a GPU; every allocation ends at an inaccessible page, and
// starts out as NaN. Under a sanitizer the memory is the host's and the sanitizer watches it.

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>

#include "execution.hpp"

namespace emulation {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kGuarded = false;
#else
inline constexpr bool kGuarded = true;
#endif

/// Addresses for guarded blocks, all in one range, so that one call opens or closes them all. What no block covers lies
/// beyond the end of an empty file: touching it is a bus error, whether the range is open or not.
class GuardedRange {
 public:
  /// Null where there is no room.
  char* take(std::size_t bytes, int access) {
    const auto fits = [&](const auto& hole) { return hole.second >= bytes; };
    const auto hole = std::find_if(holes_.begin(), holes_.end(), fits);
    if (hole == holes_.end()) return nullptr;
    char* const at = hole->first;
    if (mmap(at, bytes, access, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED)
      return nullptr;
    if (hole->second > bytes) holes_[at + bytes] = hole->second - bytes;
    holes_.erase(hole);
    end_ = std::max(end_, at + bytes);
    return at;
  }
  void give_back(char* at, std::size_t bytes) {
    cover(at, bytes);
    auto hole = holes_.emplace(at, bytes).first;
    if (const auto next = std::next(hole); next != holes_.end() && at + bytes == next->first) {
      hole->second += next->second;
      holes_.erase(next);
    }
    if (hole == holes_.begin()) return;
    if (const auto previous = std::prev(hole); previous->first + previous->second == at) {
      previous->second += hole->second;
      holes_.erase(hole);
    }
  }
  /// These addresses become inaccessible until they are taken again.
  void cover(char* at, std::size_t bytes) {
    void* const covered = mmap(at, bytes, PROT_NONE, MAP_FIXED | MAP_SHARED, empty_file_, at - base_);
    if (covered == MAP_FAILED) std::abort();
  }
  void protect(int access) { mprotect(base_, static_cast<std::size_t>(end_ - base_), access); }

 private:
  static constexpr std::size_t kBytes = std::size_t{1} << 40;  // of addresses, not of memory
  int empty_file_ = memfd_create("beyond device memory", MFD_CLOEXEC);
  char* base_ = static_cast<char*>(mmap(nullptr, kBytes, PROT_NONE, MAP_SHARED, empty_file_, 0));
  char* end_ = base_;  ///< nothing was ever taken from here on
  std::map<char*, std::size_t> holes_{{base_, kBytes}};
};

class DeviceMemory {
 public:
  static DeviceMemory& instance() {
    static DeviceMemory memory;
    return memory;
  }

  void* allocate(std::size_t bytes, int on_device) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::size_t used = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    Block block{nullptr, 0, bytes, on_device};
    void* data = nullptr;
    if (kGuarded) {
      block.mapped = (used + kPage - 1) / kPage * kPage;
      block.base = range_->take(block.mapped + kPage, PROT_READ | PROT_WRITE);
      if (block.base == nullptr) return nullptr;
      range_->cover(block.base + block.mapped, kPage);
      data = block.base + (block.mapped - used);
    } else {
      // Exactly the size asked for, so that the sanitizer sees the first byte past the end.
      if (posix_memalign(&data, 64, bytes) != 0) return nullptr;
    }
    std::memset(data, 0xff, bytes);
    if (kGuarded && open_ == 0) mprotect(block.base, block.mapped, PROT_NONE);
    blocks_[data] = block;
    Device& holder = device(on_device);
    ++holder.blocks;
    ++holder.allocations;
    holder.bytes += bytes;
    holder.most_bytes = std::max(holder.most_bytes, holder.bytes);
    return data;
  }
  bool release(void* data) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto it = blocks_.find(data);
    if (it == blocks_.end()) return false;
    if (kGuarded)
      range_->give_back(it->second.base, it->second.mapped + kPage);
    else
      std::free(data);
    Device& holder = device(it->second.device);
    --holder.blocks;
    holder.bytes -= it->second.bytes;
    blocks_.erase(it);
    return true;
  }
  /// Whether all of [p, p + bytes) belongs to one allocation.
  bool owns(const void* p, std::size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto it = blocks_.upper_bound(const_cast<void*>(p));
    if (it == blocks_.begin()) return false;
    --it;
    return static_cast<const char*>(p) + bytes <= static_cast<char*>(it->first) + it->second.bytes;
  }
  void open() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (open_++ == 0 && kGuarded) range_->protect(PROT_READ | PROT_WRITE);
  }
  void close() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--open_ == 0 && kGuarded) range_->protect(PROT_NONE);
  }

 private:
  static constexpr std::size_t kPage = 4096, kAlignment = 16;
  struct Block {
    char* base;
    std::size_t mapped, bytes;
    int device;
  };
  std::mutex mutex_;
  std::map<void*, Block> blocks_;
  std::unique_ptr<GuardedRange> range_ = kGuarded ? std::make_unique<GuardedRange>() : nullptr;
  int open_ = 0;
};

}  // namespace emulation
