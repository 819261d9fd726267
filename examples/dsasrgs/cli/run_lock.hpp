// SPDX-License-Identifier: Apache-2.0
#pragma once
// What only one process at a time may make.

#include <filesystem>
#include <functional>
#include <string>

namespace dsasrgs::program {

/// Held while it lives, over machines too where the file system has locks. A process that ends in any way gives it
/// back.
class RunLock {
 public:
  /// Takes the file, which is made, and says in it who has it. Throws UsageError "--output: expected …" naming host,
  /// process and time of whoever has it; `made` is what is being made. IoError when the file cannot be made.
  RunLock(std::filesystem::path file, const std::filesystem::path& made);
  /// Removes the file.
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
};

/// Removes from a folder what processes that were killed left while they wrote files whose names `is_own`. Only for who
/// holds the lock of these files.
void remove_dead_temporaries(const std::filesystem::path& folder,
                             const std::function<bool(const std::string&)>& is_own);

}  // namespace dsasrgs::program
