// SPDX-License-Identifier: Apache-2.0
#pragma once
// A state that took time to reach, kept when the place it belongs to takes nothing.

#include <chrono>
#include <filesystem>
#include <functional>
#include <utility>

namespace dsasrgs::program {

/// Writes to `file`, or, where that fails, to a new file in the folder for temporary files, the home folder or the
/// current one. Where none takes it because disks are full, waits for room, ten minutes at most, unless interrupted.
/// Returns the file; empty: nothing could be written. `write` throws IoError for a file that cannot be, or OutOfMemory.
std::filesystem::path keep_state(const std::filesystem::path& file,
                                 const std::function<void(const std::filesystem::path&)>& write);

/// A state that is saved now and then: a failure is warned of once and does not end the job, and another attempt is due
/// soon.
class Keeper {
 public:
  explicit Keeper(std::function<void()> save) : save_(std::move(save)) {}
  /// False: it could not be written.
  bool save();
  /// Whether the last attempt failed, some time ago.
  bool due_again() const;

 private:
  std::function<void()> save_;
  bool failed_ = false;
  std::chrono::steady_clock::time_point tried_;
};

}  // namespace dsasrgs::program
