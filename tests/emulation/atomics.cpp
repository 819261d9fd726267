// SPDX-License-Identifier: Apache-2.0
// Counts what kernels add to each address.
#include <algorithm>
#include <mutex>
#include <unordered_map>

#include "execution.hpp"

namespace emulation {

namespace {
std::mutex atomics_mutex;
std::unordered_map<const void*, std::size_t> atomics_by_address;

}  // namespace

void start_counting_atomics() {
  const std::lock_guard<std::mutex> lock(atomics_mutex);
  atomics_by_address.clear();
  counting_atomics = true;
}
void count_atomic(const void* address) {
  const std::lock_guard<std::mutex> lock(atomics_mutex);
  ++atomics_by_address[address];
}
AtomicCounts counted_atomics() {
  counting_atomics = false;
  const std::lock_guard<std::mutex> lock(atomics_mutex);
  AtomicCounts counts;
  counts.addresses = atomics_by_address.size();
  for (const auto& [address, n] : atomics_by_address) {
    counts.additions += n;
    counts.most = std::max(counts.most, n);
  }
  return counts;
}

}  // namespace emulation
