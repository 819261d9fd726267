// SPDX-License-Identifier: Apache-2.0
#pragma once
// Memory that runs out at a chosen allocation, in any thread and any library but libgomp, which ends the process where
// it cannot allocate.

#include <functional>
#include <string>

namespace dsasrgs::test {

/// From now on allocation `which` (0 is the next) fails, once.
void fail_allocation(long which);
/// Ends that; whether the allocation was reached.
bool disarm();

/// Allocations that were not freed yet.
long live_allocations();

/// Which allocations of a call fail.
enum class Which {
  every,  ///< each, one after the other
  some    ///< some 40, evenly spread
};
/// `every` where the environment has DSASRGS_EVERY_ALLOCATION, else `some`.
Which chosen_allocations();

/// What is done again and again.
struct Failing {
  std::function<void()> call;           ///< allocates; what it keeps must be the same after every call
  std::function<std::string()> result;  ///< copies what the call computed
  std::function<void()> prepare{};      ///< before every call, with nothing armed
  std::function<std::string()> look{};  ///< after every failure, likewise: what is wrong, or nothing
  /// Each failure in a process of its own, since it may leave HDF5 unusable. For calls on one thread: libgomp's are not
  /// in that process.
  bool in_child = false;
};

/// In each call an allocation fails. The call must end with OutOfMemory and an amount, or do without the memory and
/// give what it gives undisturbed; the next call gives what the first gave, and nothing is left allocated beyond that.
/// Where the allocation was HDF5's, the call may also end with an error about the file, and so may those after it.
/// Returns how many allocations failed.
long fail_allocations(const std::string& name, Which which, const Failing& failing);

}  // namespace dsasrgs::test
